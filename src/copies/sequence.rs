//! Sequences: the orders in which a list returns its rows.

use std::{cmp::Ordering, ops::Range};

use jiff::Timestamp;

use crate::domain::{anchor::Instant, filter::InstantRange, position::RowKey, query::Order};

use super::{RowRef, StoredList, creation::Creation, row_order::RowOrder};

/// Order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sequence {
    /// The list order, with the vendor's order by creation time, if it has one.
    Listed(Option<Order>),
    /// The reverse of a list order that has an order by creation time.
    Reversed(Order),
    /// Sorted by (`created_at`, `id`).
    Created(Order),
}

impl StoredList {
    /// Returns the rows with a creation time in a range, if the order has them
    /// next to each other.
    pub(super) fn created_range(&self, sequence: Sequence, range: InstantRange) -> Option<Range<usize>> {
        if !range.is_bounded() {
            return Some(0..self.len());
        }
        let rows = self.order(sequence).rows();
        let is_early =
            |created_at: Option<Timestamp>| created_at.is_none() || range.gte.is_some_and(|gte| created_at < Some(gte));
        let is_late = |created_at: Option<Timestamp>| range.lte.is_some_and(|lte| created_at > Some(lte));
        let created_at = |row: &RowRef| self.key_of(*row).0;
        let (start, end) = match self.direction(sequence)? {
            Order::Asc => (
                rows.partition_point(|row| is_early(created_at(row))),
                rows.partition_point(|row| !is_late(created_at(row))),
            ),
            Order::Desc => (
                rows.partition_point(|row| is_late(created_at(row))),
                rows.partition_point(|row| !is_early(created_at(row))),
            ),
        };
        Some(start..end.max(start))
    }

    /// Returns the order that a sequence reads, forward or backward.
    pub(super) fn order(&self, sequence: Sequence) -> &RowOrder {
        match (sequence, &self.creation) {
            (Sequence::Created(_), Creation::Own(order)) => order,
            _ => &self.order,
        }
    }

    /// Returns true if a sequence reads its order backward.
    pub(super) fn is_backward(&self, sequence: Sequence) -> bool {
        match (sequence, &self.creation) {
            (Sequence::Listed(_), _) => false,
            (Sequence::Reversed(_), _) => true,
            (Sequence::Created(order), Creation::Listed | Creation::Own(_)) => order == Order::Desc,
            (Sequence::Created(order), Creation::Reversed) => order == Order::Asc,
        }
    }

    /// Returns the direction of `created_at` in the order that a sequence reads.
    fn direction(&self, sequence: Sequence) -> Option<Order> {
        match (sequence, &self.creation) {
            (Sequence::Created(_), Creation::Listed | Creation::Own(_)) => Some(Order::Asc),
            (Sequence::Created(_), Creation::Reversed) => Some(Order::Desc),
            _ if self.trend.ascends => Some(Order::Asc),
            _ => self.trend.descends.then_some(Order::Desc),
        }
    }

    /// Returns the rank of a gap whose adjacent row the list lacks.
    pub(super) fn gap(&self, sequence: Sequence, key: &RowKey) -> Option<usize> {
        let created_at = key.created_at.and_then(Instant::timestamp);
        let rows = self.order(sequence).rows();
        let compared = |row: &RowRef, direction| {
            let ascending = self.key_of(*row).cmp(&(created_at, &*key.id));
            if direction == Order::Asc { ascending } else { ascending.reverse() }
        };
        let direction = match sequence {
            Sequence::Created(_) => {
                let direction = self.direction(sequence)?;
                return Some(rows.partition_point(|row| compared(row, direction) == Ordering::Less));
            }
            Sequence::Reversed(default) | Sequence::Listed(Some(default)) => default,
            Sequence::Listed(None) => return None,
        };
        let is_ordered = if direction == Order::Asc { self.trend.ascends } else { self.trend.descends };
        if !is_ordered || created_at.is_none() {
            return None;
        }
        let is_before = |row: &RowRef| {
            let other = self.key_of(*row).0;
            if direction == Order::Asc { other < created_at } else { other > created_at }
        };
        // The vendor has its own order of rows of the same instant.
        let start = rows.partition_point(is_before);
        let precedes = |row: &RowRef| compared(row, direction) == Ordering::Greater;
        Some(start + rows[start..].iter().position(precedes).unwrap_or(rows.len() - start))
    }
}
