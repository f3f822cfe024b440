//! Ranges of rows by creation time and id.

use std::{ops::Bound, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::table::Selection;

/// Place of a row: its creation time and its id.
pub(crate) type Key = (Timestamp, Arc<str>);

/// Range of rows between two exclusive ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Range {
    lower: Option<Key>,
    upper: Option<Key>,
}

impl Range {
    /// Returns the range of the selection's creation times.
    pub(crate) fn created(selection: &Selection) -> Self {
        // No row has an empty id, so the key of a time without an id precedes all rows of that time.
        let start = |at: Timestamp| (at, Arc::from(""));
        let after = |at: Timestamp| at.checked_add(SignedDuration::from_nanos(1)).ok();
        Self { lower: selection.created_gte.map(start), upper: selection.created_lte.and_then(after).map(start) }
    }

    /// Returns the part of the range beyond a row: after it in order of creation, or before it.
    pub(crate) fn beyond(self, row: Key, after: bool) -> Self {
        if after {
            Self { lower: self.lower.into_iter().chain([row]).max(), ..self }
        } else {
            Self { upper: self.upper.into_iter().chain([row]).min(), ..self }
        }
    }

    /// Returns true if the range has all rows.
    pub(crate) fn is_full(&self) -> bool {
        self.lower.is_none() && self.upper.is_none()
    }

    /// Returns the bounds for a search in a tree, or `None` if the range is empty. A tree panics at
    /// bounds in the wrong order.
    pub(crate) fn bounds(self) -> Option<(Bound<Key>, Bound<Key>)> {
        if let (Some(lower), Some(upper)) = (&self.lower, &self.upper)
            && lower >= upper
        {
            return None;
        }
        let bound = |key: Option<Key>| key.map_or(Bound::Unbounded, Bound::Excluded);
        Some((bound(self.lower), bound(self.upper)))
    }
}
