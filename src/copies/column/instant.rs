//! Column of instants.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{copies::bits::Bits, domain::filter::InstantRange};

/// Instants of a field by row. A column whose values are all null occupies no
/// memory.
#[derive(Debug, Default)]
pub(in crate::copies) struct InstantColumn {
    values: InstantParts,
    /// The earliest and the latest value.
    bounds: Option<(Timestamp, Timestamp)>,
    has_null: bool,
}

/// Instants since the Unix epoch, in the largest unit that expresses all. The
/// minimum of the integer is null.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::copies) enum InstantParts {
    Microseconds(Box<[i64]>),
    Nanoseconds(Box<[i128]>),
}

impl InstantColumn {
    /// Stores instants.
    pub(in crate::copies) fn new(values: &[Option<Timestamp>]) -> Self {
        let is_whole = |value: &Timestamp| value.subsec_nanosecond() % 1000 == 0;
        let parts = if values.iter().all(Option::is_none) {
            InstantParts::default()
        } else if values.iter().flatten().all(is_whole) {
            let value = |value: &Option<Timestamp>| value.map_or(i64::MIN, Timestamp::as_microsecond);
            InstantParts::Microseconds(values.iter().map(value).collect())
        } else {
            let value = |value: &Option<Timestamp>| value.map_or(i128::MIN, Timestamp::as_nanosecond);
            InstantParts::Nanoseconds(values.iter().map(value).collect())
        };
        let known = || values.iter().flatten().copied();
        Self { values: parts, bounds: known().min().zip(known().max()), has_null: values.iter().any(Option::is_none) }
    }

    /// Returns the value of a row.
    #[inline]
    pub(in crate::copies) fn get(&self, row: usize) -> Option<Timestamp> {
        self.values.get(row)
    }

    /// Removes the rows whose value is outside a range with a bound, or null.
    pub(in crate::copies) fn retain(&self, range: InstantRange, rows: &mut Bits) {
        let Some((first, last)) = self.bounds else { return rows.clear() };
        let (gte, lte) = (range.gte.unwrap_or(Timestamp::MIN), range.lte.unwrap_or(Timestamp::MAX));
        if gte <= first && last <= lte && !self.has_null {
            return;
        }
        if lte < first || last < gte {
            return rows.clear();
        }
        match &self.values {
            InstantParts::Microseconds(values) => {
                let (gte, lte) = (gte.as_nanosecond(), lte.as_nanosecond());
                let ceil = i64::try_from((gte + 999).div_euclid(1000)).unwrap_or(i64::MAX);
                let floor = i64::try_from(lte.div_euclid(1000)).unwrap_or(i64::MAX);
                // The earliest timestamp is greater than the null value.
                rows.retain_matching(values, |value| ceil <= value && value <= floor);
            }
            InstantParts::Nanoseconds(values) => {
                let (gte, lte) = (gte.as_nanosecond(), lte.as_nanosecond());
                rows.retain_matching(values, |value| gte <= value && value <= lte);
            }
        }
    }

    /// Returns the memory of the column, in bytes.
    pub(in crate::copies) fn bytes(&self) -> usize {
        match &self.values {
            InstantParts::Microseconds(values) => size_of_val(&**values),
            InstantParts::Nanoseconds(values) => size_of_val(&**values),
        }
    }

    /// Returns the encoded form.
    pub(in crate::copies) fn parts(&self) -> &InstantParts {
        &self.values
    }

    /// Decodes a column. `rows` is the number of rows of the segment.
    pub(in crate::copies) fn from_parts(parts: &InstantParts, rows: usize) -> Option<Self> {
        let is_known = match parts {
            InstantParts::Microseconds(values) => {
                values.iter().all(|value| *value == i64::MIN || Timestamp::from_microsecond(*value).is_ok())
            }
            InstantParts::Nanoseconds(values) => {
                values.iter().all(|value| *value == i128::MIN || Timestamp::from_nanosecond(*value).is_ok())
            }
        };
        let values: Vec<_> = (0..parts.len()).map(|row| parts.get(row)).collect();
        (is_known && [0, rows].contains(&values.len())).then(|| Self::new(&values))
    }
}

impl InstantParts {
    fn get(&self, row: usize) -> Option<Timestamp> {
        match self {
            Self::Microseconds(values) => Timestamp::from_microsecond(*values.get(row)?).ok(),
            Self::Nanoseconds(values) => Timestamp::from_nanosecond(*values.get(row)?).ok(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Microseconds(values) => values.len(),
            Self::Nanoseconds(values) => values.len(),
        }
    }
}

impl Default for InstantParts {
    fn default() -> Self {
        Self::Microseconds(Box::default())
    }
}
