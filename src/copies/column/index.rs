//! Column of text with an index.

use serde::{Deserialize, Serialize};

use crate::copies::bits::Bits;

use super::text::{TextColumn, TextParts};

/// Text of a field by row, with the rows sorted by their value.
#[derive(Debug, Default)]
pub(in crate::copies) struct IndexedColumn {
    pub(in crate::copies) values: TextColumn,
    /// The rows with a value, sorted by (value, row).
    index: Box<[u16]>,
}

/// Encoded form of an [`IndexedColumn`].
#[derive(Serialize, Deserialize)]
pub(in crate::copies) struct IndexedParts<'a> {
    #[serde(borrow)]
    values: TextParts<'a>,
    index: Vec<u16>,
}

impl IndexedColumn {
    /// Sorts the rows by their value.
    pub(in crate::copies) fn new(values: TextColumn) -> Self {
        let mut index: Box<[u16]> =
            (0..=u16::MAX).take(values.len()).filter(|row| values.get(usize::from(*row)).is_some()).collect();
        let key = |row: u16| (values.get(usize::from(row)), row);
        index.sort_unstable_by(|a, b| key(*a).cmp(&key(*b)));
        Self { values, index }
    }

    /// Returns the value of a row.
    #[inline]
    pub(in crate::copies) fn get(&self, row: usize) -> Option<&str> {
        self.values.get(row)
    }

    /// Returns the rows with a value, in ascending order.
    pub(in crate::copies) fn find(&self, value: &str) -> &[u16] {
        let of = |row: &u16| self.values.get(usize::from(*row));
        let start = self.index.partition_point(|row| of(row) < Some(value));
        let rest = &self.index[start..];
        let is_equal = |row: &u16| of(row) == Some(value);
        // Most values are unique.
        let length = match rest.get(1) {
            Some(second) if is_equal(second) => rest.partition_point(is_equal),
            _ => usize::from(rest.first().is_some_and(is_equal)),
        };
        &rest[..length]
    }

    /// Returns the memory of the column, in bytes.
    pub(in crate::copies) fn bytes(&self) -> usize {
        self.values.bytes() + size_of_val(&*self.index)
    }

    /// Returns the encoded form.
    pub(in crate::copies) fn parts(&self) -> IndexedParts<'_> {
        IndexedParts { values: self.values.parts(), index: self.index.to_vec() }
    }

    /// Decodes a column. `rows` is the number of rows of the segment.
    pub(in crate::copies) fn from_parts(parts: IndexedParts<'_>, rows: usize) -> Option<Self> {
        let values = TextColumn::from_parts(&parts.values, rows)?;
        let key = |row: u16| (values.get(usize::from(row)), row);
        // Rows in strictly ascending order are different rows.
        let is_sorted = parts.index.is_sorted_by(|a, b| key(*a) < key(*b));
        let mut with_value = Bits::new(values.len());
        (0..values.len()).filter(|row| values.get(*row).is_some()).for_each(|row| _ = with_value.insert(row));
        let is_complete = parts.index.len() == with_value.count()
            && parts.index.iter().all(|row| with_value.contains(usize::from(*row)));
        (is_sorted && is_complete).then(|| Self { index: parts.index.into(), values })
    }
}
