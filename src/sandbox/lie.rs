//! Lists that contradict themselves, for tests.

use std::sync::{Mutex, RwLock};

use super::{
    lock::{lock, write},
    vendor::{Direction, Store},
};

/// Contradiction in the pages of a vendor's lists. Each response alone is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Total that is too high by this number; too low if negative. The lowest total is zero.
    Total(i64),
    /// Total that changes from page to page: each list response adds this number to the error.
    DriftingTotal(i64),
    /// Endless list: from the second page on, the vendor always leads to the same page. Tolt
    /// repeats the first page, the corporation vendor returns the cursor that it received.
    RepeatedCursor,
    /// Deletion of the list's last row after each list response.
    ShrinkingList,
    /// Move of a row after each list response. A walk misses rows that move up, and sees rows twice
    /// that move down.
    MovingRow(Direction),
}

/// Lies of one vendor.
#[derive(Debug, Default)]
pub(crate) struct Lies(Mutex<PageLies>);

/// Lies in one list response.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageLies {
    lies: Vec<Lie>,
    /// Number of earlier list responses with these lies.
    earlier_pages: i64,
}

impl Lies {
    /// Replaces all lies.
    pub(crate) fn set(&self, lies: &[Lie]) {
        *lock(&self.0) = PageLies { lies: lies.to_vec(), earlier_pages: 0 };
    }

    /// Returns the lies in the next list response.
    pub(crate) fn next_page(&self) -> PageLies {
        let mut next = lock(&self.0);
        let lies = next.clone();
        next.earlier_pages += 1;
        lies
    }
}

impl PageLies {
    /// Returns the total that the vendor reports.
    pub(crate) fn total(&self, total: usize) -> usize {
        let error = |lie: &Lie| match lie {
            Lie::Total(error) => *error,
            Lie::DriftingTotal(error) => error.saturating_mul(self.earlier_pages),
            _ => 0,
        };
        self.lies.iter().map(error).fold(total, |total, error| {
            let error = isize::try_from(error).unwrap_or_default();
            total.saturating_add_signed(error)
        })
    }

    /// Returns true if every page leads to the same page.
    pub(crate) fn repeats_cursor(&self) -> bool {
        self.lies.contains(&Lie::RepeatedCursor)
    }

    /// Changes the table after the response.
    pub(crate) fn change<T>(&self, table: &RwLock<impl Store<T>>) {
        for lie in &self.lies {
            match lie {
                Lie::ShrinkingList => write(table).remove_last(),
                Lie::MovingRow(direction) => write(table).rotate(*direction),
                Lie::Total(_) | Lie::DriftingTotal(_) | Lie::RepeatedCursor => {}
            }
        }
    }
}
