//! Column of text, in one buffer.

use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};

use crate::copies::bits::Bits;

/// Text of a field by row. A column whose values are all null occupies no memory.
#[derive(Debug, Default)]
pub(in crate::copies) struct TextColumn {
    text: Box<str>,
    /// The end of each value in `text`, with [`NULL`] set if the value is null.
    ends: Box<[u32]>,
}

/// Builder of a [`TextColumn`].
#[derive(Debug, Default)]
pub(in crate::copies) struct TextColumnBuilder {
    text: String,
    ends: Vec<u32>,
    has_value: bool,
}

/// Encoded form of a [`TextColumn`].
#[derive(Serialize, Deserialize)]
pub(in crate::copies) struct TextParts<'a> {
    text: &'a str,
    /// The length of each value plus one, or 0 for null.
    lengths: Vec<u32>,
}

/// Mark of a null value.
const NULL: u32 = 1 << 31;

impl TextColumn {
    /// Returns the value of a row, or `None` if it is null.
    #[inline]
    pub(in crate::copies) fn get(&self, row: usize) -> Option<&str> {
        let end = *self.ends.get(row)?;
        let start = row.checked_sub(1).map_or(0, |previous| self.ends[previous] & !NULL);
        (end & NULL == 0).then(|| &self.text[start as usize..end as usize])
    }

    /// Returns the number of rows, or 0 if all values are null.
    pub(in crate::copies) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the length of all values, in bytes.
    pub(in crate::copies) fn text_length(&self) -> usize {
        self.text.len()
    }

    /// Adds the rows whose value contains a text.
    pub(in crate::copies) fn search(&self, part: &Finder<'_>, found: &mut Bits) {
        let (text, length) = (self.text.as_bytes(), part.needle().len());
        if length == 0 {
            let rows = self.ends.iter().enumerate().filter(|(_, end)| **end & NULL == 0);
            rows.for_each(|(row, _)| _ = found.insert(row));
            return;
        }
        let (mut row, mut from) = (0, 0);
        while let Some(start) = part.find(&text[from..]) {
            let start = from + start;
            while self.ends.get(row).is_some_and(|end| (end & !NULL) as usize <= start) {
                row += 1;
            }
            let Some(end) = self.ends.get(row).map(|end| (end & !NULL) as usize) else { return };
            // The buffer has no gaps, so a match may reach into the next value.
            from = if start + length <= end {
                found.insert(row);
                end
            } else {
                start + 1
            };
        }
    }

    /// Returns the memory of the column, in bytes.
    pub(in crate::copies) fn bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.ends)
    }

    /// Returns the encoded form.
    pub(in crate::copies) fn parts(&self) -> TextParts<'_> {
        let mut start = 0;
        let lengths = self.ends.iter().map(|end| {
            let length = (end & !NULL) - start;
            start = end & !NULL;
            if end & NULL == 0 { length + 1 } else { 0 }
        });
        TextParts { lengths: lengths.collect(), text: &self.text }
    }

    /// Decodes a column. `rows` is the number of rows of the segment.
    pub(in crate::copies) fn from_parts(parts: &TextParts<'_>, rows: usize) -> Option<Self> {
        let mut column = TextColumnBuilder::default();
        let mut rest = parts.text;
        for length in &parts.lengths {
            let value = match length.checked_sub(1) {
                Some(length) => {
                    let (value, others) = rest.split_at_checked(length as usize)?;
                    rest = others;
                    Some(value)
                }
                None => None,
            };
            column.push(value)?;
        }
        let column = column.finish();
        (rest.is_empty() && [0, rows].contains(&column.len())).then_some(column)
    }
}

impl TextParts<'_> {
    /// Returns the number of values.
    pub(in crate::copies) fn len(&self) -> usize {
        self.lengths.len()
    }
}

impl TextColumnBuilder {
    /// Appends the value of the next row. Returns `None` if the column would exceed
    /// 2 GiB.
    #[must_use]
    pub(in crate::copies) fn push(&mut self, value: Option<&str>) -> Option<()> {
        let length = self.text.len() + value.map_or(0, str::len);
        let end = u32::try_from(length).ok().filter(|end| end & NULL == 0)?;
        self.text.push_str(value.unwrap_or_default());
        self.has_value |= value.is_some();
        self.ends.push(if value.is_some() { end } else { end | NULL });
        Some(())
    }

    /// Returns the value of a row.
    pub(in crate::copies) fn get(&self, row: usize) -> Option<&str> {
        let end = *self.ends.get(row)?;
        let start = row.checked_sub(1).map_or(0, |previous| self.ends[previous] & !NULL);
        (end & NULL == 0).then(|| &self.text[start as usize..end as usize])
    }

    /// Returns the memory of the values, in bytes.
    pub(in crate::copies) fn bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.ends)
    }

    /// Returns the column, without spare capacity.
    pub(in crate::copies) fn finish(self) -> TextColumn {
        if self.has_value {
            TextColumn { text: self.text.into(), ends: self.ends.into() }
        } else {
            TextColumn::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    fn column(values: &[Option<String>]) -> TextColumn {
        let mut builder = TextColumnBuilder::default();
        for value in values {
            builder.push(value.as_deref()).unwrap();
        }
        builder.finish()
    }

    proptest! {
        #[test]
        fn search_finds_values_and_no_seams(values in vec(option::of("[ab]{0,4}"), 0..30), part in "[ab]{0,3}") {
            let column = column(&values);
            let mut found = Bits::new(values.len());
            column.search(&Finder::new(&part), &mut found);
            let contains = |value: &Option<String>| value.as_ref().is_some_and(|value| value.contains(&part));
            let expected: Vec<_> = (0..values.len()).filter(|row| contains(&values[*row])).collect();
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        }

        #[test]
        fn encoded_column_has_its_values(values in vec(option::of("[aé]{0,4}"), 0..9)) {
            let bytes = postcard::to_allocvec(&column(&values).parts()).unwrap();
            let column = TextColumn::from_parts(&postcard::from_bytes(&bytes).unwrap(), values.len()).unwrap();
            let read: Vec<_> = (0..values.len()).map(|row| column.get(row).map(str::to_owned)).collect();
            prop_assert_eq!(read, values);
        }
    }
}
