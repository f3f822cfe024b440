//! Slots: the segments of a list, with the rows that the list hides.

use std::sync::Arc;

use super::{Segment, bits::Bits, row_order::RowOrder};

/// Segment of a list. Rows that were replaced or deleted are hidden.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot {
    pub(super) segment: Arc<Segment>,
    /// The number of rows that are not hidden. A slot without any is free.
    pub(super) live: usize,
    hidden: Option<Arc<Bits>>,
}

impl Slot {
    /// Returns the slot of a segment, with the rows that have a rank. A segment
    /// without such rows is dropped.
    pub(super) fn new(segment: &Arc<Segment>, index: usize, order: &RowOrder) -> Self {
        let hidden = order.hidden(index);
        let live = segment.len() - hidden.as_ref().map_or(0, Bits::count);
        if live == 0 {
            return Self::default();
        }
        Self { segment: Arc::clone(segment), live, hidden: hidden.map(Arc::new) }
    }

    /// Returns true if the slot takes another segment.
    pub(super) fn is_free(&self) -> bool {
        self.live == 0
    }

    /// Returns true if a row is not hidden.
    pub(super) fn is_live(&self, row: usize) -> bool {
        row < self.segment.len() && !self.hidden.as_ref().is_some_and(|hidden| hidden.contains(row))
    }

    /// Returns the rows that are not hidden.
    pub(super) fn live_rows(&self) -> Bits {
        let mut live = Bits::full(self.segment.len());
        if let Some(hidden) = &self.hidden {
            live.remove_all(hidden);
        }
        live
    }

    /// Returns the memory of the slot with its segment, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let hidden = self.hidden.as_ref().map_or(0, |hidden| hidden.bytes());
        if self.is_free() { 0 } else { self.segment.bytes() + hidden }
    }
}
