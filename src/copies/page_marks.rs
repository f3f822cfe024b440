//! Page marks: the vendor's anchors of the pages that a walk read.

use serde::{Deserialize, Serialize};

use crate::domain::anchor::Anchor;

/// Ranks at which the vendor's pages begin. Only the anchors that rows do not
/// imply are stored: tokens and the beginning of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageMarks(Vec<Mark>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    rank: u32,
    /// `None` from the first page on whose anchor is not stored.
    anchor: Option<Anchor>,
}

impl PageMarks {
    /// Adds the page that begins at a rank.
    pub(super) fn push(&mut self, rank: u32, anchor: &Anchor) {
        let anchor = matches!(anchor, Anchor::Start | Anchor::Token(_)).then(|| anchor.clone());
        if anchor.is_some() || self.0.last().is_some_and(|mark| mark.anchor.is_some()) {
            self.0.push(Mark { rank, anchor });
        }
    }

    /// Returns the anchor of the page with the row at a rank, and the number of
    /// rows of the page before it.
    pub(super) fn find(&self, rank: usize) -> Option<(Anchor, u16)> {
        let rank = u32::try_from(rank).ok()?;
        let mark = &self.0[self.0.partition_point(|mark| mark.rank <= rank).checked_sub(1)?];
        Some((mark.anchor.clone()?, u16::try_from(rank - mark.rank).ok()?))
    }

    /// Moves the pages behind rows that were inserted before the first row. The
    /// vendor's first page begins with them.
    pub(super) fn shift(&mut self, rows: u32) {
        self.0.iter_mut().filter(|mark| mark.anchor != Some(Anchor::Start)).for_each(|mark| {
            mark.rank = mark.rank.saturating_add(rows);
        });
    }

    /// Moves the pages behind a row that was removed.
    pub(super) fn remove(&mut self, rank: usize) {
        self.0.iter_mut().filter(|mark| mark.rank as usize > rank).for_each(|mark| mark.rank -= 1);
    }

    /// Returns the memory of the marks, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let token = |mark: &Mark| match &mark.anchor {
            Some(Anchor::Token(token)) => token.len(),
            _ => 0,
        };
        size_of_val(&*self.0) + self.0.iter().map(token).sum::<usize>()
    }

    /// Returns true if the ranks ascend.
    pub(super) fn is_sorted(&self) -> bool {
        self.0.is_sorted_by_key(|mark| mark.rank)
    }
}
