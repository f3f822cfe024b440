//! Columns: one field of all records of a page, in one buffer.

use crate::domain::fold::fold_into;

/// Text of a field by record. A column whose values are all null occupies no
/// memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct TextColumn {
    text: Box<str>,
    /// The end of each value in `text`, with [`NULL`] set if the value is null.
    ends: Box<[u32]>,
}

/// Builder of a [`TextColumn`].
#[derive(Debug, Default)]
pub(super) struct TextColumnBuilder {
    text: String,
    ends: Vec<u32>,
    has_value: bool,
}

/// Mark of a null value.
const NULL: u32 = 1 << 31;

impl TextColumn {
    /// Returns the value of the record at `index`, or `None` if it is null.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |previous| self.ends[previous] & !NULL);
        (end & NULL == 0).then(|| &self.text[start as usize..end as usize])
    }

    /// Returns the values in sequence.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the memory that the values occupy, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.text.len() + size_of_val(&*self.ends)
    }
}

impl TextColumnBuilder {
    /// Appends the value of the next record. Returns false if the column would
    /// exceed 2 GiB.
    #[must_use]
    pub(super) fn push(&mut self, value: Option<&str>) -> bool {
        self.text.push_str(value.unwrap_or_default());
        self.end(value.is_some())
    }

    /// Reserves memory for records whose values have this length in total.
    pub(super) fn reserve(&mut self, records: usize, bytes: usize) {
        self.ends.reserve(records);
        self.text.reserve(bytes);
    }

    /// Appends the folded value of the next record, as [`push`](Self::push) does.
    #[must_use]
    pub(super) fn push_folded(&mut self, value: Option<&str>) -> bool {
        fold_into(value.unwrap_or_default(), &mut self.text);
        self.end(value.is_some())
    }

    fn end(&mut self, is_some: bool) -> bool {
        let Some(end) = u32::try_from(self.text.len()).ok().filter(|end| end & NULL == 0) else { return false };
        self.has_value |= is_some;
        self.ends.push(if is_some { end } else { end | NULL });
        true
    }

    /// Returns the column, without spare capacity.
    pub(super) fn finish(self) -> TextColumn {
        if self.has_value {
            TextColumn { text: self.text.into(), ends: self.ends.into() }
        } else {
            TextColumn::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[Option<&str>]) -> TextColumn {
        let mut builder = TextColumnBuilder::default();
        assert!(values.iter().all(|value| builder.push(*value)));
        builder.finish()
    }

    #[test]
    fn values_are_returned_by_index() {
        let values = [None, Some("a"), Some(""), None, Some("bc"), None];
        let column = column(&values);
        let read: Vec<_> = (0..values.len()).map(|index| column.get(index)).collect();
        assert_eq!(read, values);
        assert_eq!(column.get(values.len()), None);
    }

    #[test]
    fn column_of_nulls_is_empty() {
        let column = column(&[None, None]);
        assert_eq!((column.get(0), column.get(1), column.weight()), (None, None, 0));
    }
}
