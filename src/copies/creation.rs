//! Orders by creation time.

use super::{RowRef, row_order::RowOrder, slot::Slot};
use jiff::Timestamp;

/// Rows by (`created_at`, `id`), rows without `created_at` first.
#[derive(Debug, Clone)]
pub(super) enum Creation {
    /// The list order.
    Listed,
    /// The reverse of the list order.
    Reversed,
    /// Another order.
    Own(RowOrder),
}

/// Directions in which `created_at` does not change along the list order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trend {
    pub(super) ascends: bool,
    pub(super) descends: bool,
}

/// Key of the order by creation time.
pub(super) type CreationKey<'a> = (Option<Timestamp>, &'a str);

/// Returns the key of a row.
pub(super) fn key(slots: &[Slot], row: RowRef) -> CreationKey<'_> {
    let segment = &slots[row.segment()].segment;
    (segment.created_at.get(row.row()), segment.ids.get(row.row()).unwrap_or_default())
}

impl Creation {
    /// Sorts the rows. Takes 100 ms for 1,000,000 rows in another order.
    pub(super) fn of(slots: &[Slot], order: &RowOrder) -> Self {
        let rows = order.rows();
        if rows.is_sorted_by_key(|row| key(slots, *row)) {
            Self::Listed
        } else if rows.is_sorted_by(|a, b| key(slots, *b) <= key(slots, *a)) {
            Self::Reversed
        } else {
            let mut keyed: Vec<_> = rows.iter().map(|row| (key(slots, *row).0, *row)).collect();
            keyed.sort_by(|(created_at, row), (other_created_at, other)| {
                created_at.cmp(other_created_at).then_with(|| key(slots, *row).1.cmp(key(slots, *other).1))
            });
            let sorted = keyed.into_iter().map(|(_, row)| row).collect();
            Self::Own(RowOrder::new(sorted, slots.iter().map(|slot| slot.segment.len())))
        }
    }

    /// Returns the memory of the order, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Listed | Self::Reversed => 0,
            Self::Own(order) => order.bytes(),
        }
    }
}

impl Trend {
    /// Looks through the rows.
    pub(super) fn of(slots: &[Slot], order: &RowOrder) -> Self {
        let created_at = |row: &RowRef| key(slots, *row).0;
        Self {
            ascends: order.rows().is_sorted_by_key(created_at),
            descends: order.rows().is_sorted_by(|a, b| created_at(b) <= created_at(a)),
        }
    }
}
