//! Column of text with few different values.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::copies::bits::Bits;

use super::text::{TextColumn, TextColumnBuilder, TextParts};

/// Text of a field by row, as a number that stands for the value.
#[derive(Debug, Default)]
pub(in crate::copies) struct CodedColumn {
    /// The different values, sorted.
    values: TextColumn,
    codes: Codes,
}

/// For each row, 0 for null, or the index of its value plus one.
#[derive(Debug)]
enum Codes {
    Narrow(Box<[u8]>),
    Wide(Box<[u16]>),
}

/// Builder of a [`CodedColumn`].
#[derive(Debug, Default)]
pub(in crate::copies) struct CodedColumnBuilder {
    values: HashMap<Box<str>, u16>,
    codes: Vec<u16>,
}

/// Encoded form of a [`CodedColumn`].
#[derive(Serialize, Deserialize)]
pub(in crate::copies) struct CodedParts<'a> {
    #[serde(borrow)]
    values: TextParts<'a>,
    codes: Vec<u16>,
}

impl CodedColumn {
    /// Returns the value of a row.
    pub(in crate::copies) fn get(&self, row: usize) -> Option<&str> {
        let code = match &self.codes {
            Codes::Narrow(codes) => usize::from(*codes.get(row)?),
            Codes::Wide(codes) => usize::from(*codes.get(row)?),
        };
        self.values.get(code.checked_sub(1)?)
    }

    /// Removes the rows that have none of the values.
    pub(in crate::copies) fn retain(&self, accepted: &[String], rows: &mut Bits) {
        let codes: Vec<u16> = accepted.iter().filter_map(|value| self.code(value)).collect();
        match (&*codes, &self.codes) {
            ([], _) => rows.clear(),
            ([code], Codes::Narrow(codes)) => rows.retain_matching(codes, |other| u16::from(other) == *code),
            ([code], Codes::Wide(codes)) => rows.retain_matching(codes, |other| other == *code),
            (several, Codes::Narrow(codes)) => {
                rows.retain_matching(codes, |code| several.contains(&u16::from(code)));
            }
            (several, Codes::Wide(codes)) => rows.retain_matching(codes, |code| several.contains(&code)),
        }
    }

    /// Returns the memory of the column, in bytes.
    pub(in crate::copies) fn bytes(&self) -> usize {
        let codes = match &self.codes {
            Codes::Narrow(codes) => codes.len(),
            Codes::Wide(codes) => size_of_val(&**codes),
        };
        self.values.bytes() + codes
    }

    /// Returns the encoded form.
    pub(in crate::copies) fn parts(&self) -> CodedParts<'_> {
        let codes = match &self.codes {
            Codes::Narrow(codes) => codes.iter().map(|code| u16::from(*code)).collect(),
            Codes::Wide(codes) => codes.to_vec(),
        };
        CodedParts { values: self.values.parts(), codes }
    }

    /// Decodes a column. `rows` is the number of rows of the segment.
    pub(in crate::copies) fn from_parts(parts: CodedParts<'_>, rows: usize) -> Option<Self> {
        let values = TextColumn::from_parts(&parts.values, parts.values.len())?;
        let is_sorted = (1..values.len()).all(|index| values.get(index - 1) < values.get(index));
        let has_no_null = values.len() == 0 || values.get(0).is_some();
        let is_known = parts.codes.iter().all(|code| usize::from(*code) <= values.len());
        let is_whole = [0, rows].contains(&parts.codes.len());
        (is_sorted && has_no_null && is_known && is_whole)
            .then(|| Self { codes: Codes::new(parts.codes, values.len()), values })
    }

    /// Returns the code of a value, if a row has the value.
    fn code(&self, value: &str) -> Option<u16> {
        let (mut low, mut high) = (0, self.values.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.values.get(middle) < Some(value) { low = middle + 1 } else { high = middle }
        }
        (self.values.get(low) == Some(value)).then(|| u16::try_from(low + 1).ok())?
    }
}

impl Codes {
    /// Stores codes of `values` different values.
    fn new(codes: Vec<u16>, values: usize) -> Self {
        if values == 0 {
            Self::default()
        } else if u8::try_from(values).is_ok() {
            Self::Narrow(codes.into_iter().map(|code| u8::try_from(code).unwrap_or_default()).collect())
        } else {
            Self::Wide(codes.into())
        }
    }
}

impl Default for Codes {
    fn default() -> Self {
        Self::Narrow(Box::default())
    }
}

impl CodedColumnBuilder {
    /// Appends the value of the next row. Returns `None` beyond 65,535 rows.
    #[must_use]
    pub(in crate::copies) fn push(&mut self, value: Option<&str>) -> Option<()> {
        let code = match value {
            None => 0,
            Some(value) => {
                if let Some(code) = self.values.get(value) {
                    *code
                } else {
                    let code = u16::try_from(self.values.len() + 1).ok()?;
                    self.values.insert(value.into(), code);
                    code
                }
            }
        };
        self.codes.push(code);
        Some(())
    }

    /// Returns the memory of the codes, in bytes.
    pub(in crate::copies) fn bytes(&self) -> usize {
        size_of_val(&*self.codes)
    }

    /// Returns the column.
    pub(in crate::copies) fn finish(self) -> CodedColumn {
        let mut sorted: Vec<_> = self.values.into_iter().collect();
        sorted.sort_unstable();
        let mut values = TextColumnBuilder::default();
        let mut new_codes = vec![0; sorted.len() + 1];
        for (new, (value, old)) in (1..).zip(&sorted) {
            new_codes[usize::from(*old)] = new;
            // The rows' JSON is larger, and smaller than 2 GiB.
            let _ = values.push(Some(value));
        }
        let codes = self.codes.into_iter().map(|code| new_codes[usize::from(code)]).collect();
        CodedColumn { codes: Codes::new(codes, sorted.len()), values: values.finish() }
    }
}
