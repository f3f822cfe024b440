//! Complete list in memory.

use std::{ops::Range, sync::Arc};

use crate::domain::{
    anchor::Anchor,
    page::RecordPage,
    position::{RowKey, Side},
};

use super::{Changes, DecodeError, DroppedRows, Question, RowRef, Segment, SegmentId, Selection};

/// Complete list in memory. The list is immutable; a change makes another list
/// that shares the unchanged rows.
#[derive(Debug, Default)]
pub struct StoredList {}

impl StoredList {
    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        todo!()
    }

    /// Returns true if the list has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the memory of the list, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        todo!()
    }

    /// Returns the rows that the vendor's pages had and the list does not serve.
    #[must_use]
    pub fn dropped_rows(&self) -> DroppedRows {
        todo!()
    }

    /// Returns the row with an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<RowRef> {
        todo!("{id}")
    }

    /// Returns a row's id at the vendor.
    #[must_use]
    pub fn id(&self, row: RowRef) -> &str {
        todo!("{row:?}")
    }

    /// Returns the key of a gap on one side of a row.
    #[must_use]
    pub fn key(&self, row: RowRef, side: Side) -> RowKey {
        todo!("{row:?} {side:?}")
    }

    /// Returns the number of rows before a row in list order.
    #[must_use]
    pub fn rank(&self, row: RowRef) -> usize {
        todo!("{row:?}")
    }

    /// Returns the vendor's anchor of the page that had the row at `rank`, and the
    /// number of rows of the page before it. `None` unless the vendor pages by
    /// tokens.
    #[must_use]
    pub fn anchor_at(&self, rank: usize) -> Option<(Anchor, u16)> {
        todo!("{rank}")
    }

    /// Decodes rows.
    #[must_use]
    pub fn page(&self, rows: impl IntoIterator<Item = RowRef>) -> RecordPage {
        todo!("{}", rows.into_iter().count())
    }

    /// Returns the rows that match a question, in its order.
    #[must_use]
    pub fn select(self: &Arc<Self>, question: &Question) -> Selection {
        todo!("{question:?}")
    }

    /// Estimates the work of a selection, in units of about 100 ns.
    #[must_use]
    pub fn work(&self, question: &Question) -> usize {
        todo!("{question:?}")
    }

    /// Replaces the rows of the list that a page has with other content. Rows that
    /// the list lacks are ignored. Returns `None` if nothing changed.
    #[must_use]
    pub fn with_rows(&self, page: &RecordPage) -> Option<(Self, Changes)> {
        todo!("{page:?}")
    }

    /// Like [`with_rows`](Self::with_rows) for a range of a page's rows, and
    /// inserts unknown rows before the first row, in the order of the page.
    #[must_use]
    pub fn with_newest(&self, page: &RecordPage, rows: Range<usize>) -> Option<(Self, Changes)> {
        todo!("{page:?} {rows:?}")
    }

    /// Removes a row. Returns `None` if the list lacks it.
    #[must_use]
    pub fn without(&self, id: &str) -> Option<Self> {
        todo!("{id}")
    }

    /// Returns the segments, in the order of the manifest.
    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        std::iter::empty()
    }

    /// Encodes everything but the segments.
    #[must_use]
    pub fn manifest_to_bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// Decodes a list from its manifest and its segments.
    pub fn from_parts(
        manifest: &[u8],
        segment: impl Fn(SegmentId) -> Option<Arc<Segment>>,
    ) -> Result<Self, DecodeError> {
        todo!("{manifest:?} {:?}", segment(SegmentId([0; 16])))
    }
}
