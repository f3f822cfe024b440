//! Complete list in memory.

use std::sync::Arc;

use crate::domain::{
    anchor::Anchor,
    page::{PageInfo, RecordPage, RecordPageBuilder},
    position::{RowKey, Side},
};

use super::{
    DroppedRows, RowRef, Segment,
    creation::{Creation, CreationKey, Trend, key},
    page_marks::PageMarks,
    row_order::RowOrder,
    segment::RowReader,
    slot::Slot,
};

/// Complete list in memory. The list is immutable; a change makes another list
/// that shares the unchanged rows.
#[derive(Debug)]
pub struct StoredList {
    pub(super) slots: Vec<Slot>,
    /// The rows in list order.
    pub(super) order: RowOrder,
    pub(super) creation: Creation,
    pub(super) trend: Trend,
    pub(super) marks: PageMarks,
    pub(super) dropped: DroppedRows,
}

impl StoredList {
    /// Makes a list of segments and rows in list order, of which none occurs
    /// twice. Segments without rows are dropped.
    pub(super) fn new(segments: &[Arc<Segment>], rows: Vec<RowRef>, marks: PageMarks, dropped: DroppedRows) -> Self {
        let order = RowOrder::new(rows, segments.iter().map(|segment| segment.len()));
        let slots: Vec<_> = (0..).zip(segments).map(|(index, segment)| Slot::new(segment, index, &order)).collect();
        let (creation, trend) = (Creation::of(&slots, &order), Trend::of(&slots, &order));
        Self { slots, order, creation, trend, marks, dropped }
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.rows().len()
    }

    /// Returns true if the list has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the memory of the list, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let slots: usize = self.slots.iter().map(Slot::bytes).sum();
        let bytes = size_of::<Self>() + slots + self.order.bytes() + self.creation.bytes() + self.marks.bytes();
        bytes as u64
    }

    /// Returns the rows that the vendor's pages had and the list does not serve.
    #[must_use]
    pub fn dropped_rows(&self) -> DroppedRows {
        self.dropped
    }

    /// Returns the row with an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<RowRef> {
        self.slots.iter().enumerate().find_map(|(index, slot)| {
            let row = slot.segment.find(id).filter(|row| slot.is_live(*row))?;
            Some(RowRef::new(index, row))
        })
    }

    /// Returns a row's id at the vendor.
    #[must_use]
    pub fn id(&self, row: RowRef) -> &str {
        self.key_of(row).1
    }

    /// Returns the key of a gap on one side of a row.
    #[must_use]
    pub fn key(&self, row: RowRef, side: Side) -> RowKey {
        let (created_at, id) = self.key_of(row);
        RowKey { id: id.into(), created_at: created_at.map(Into::into), side }
    }

    /// Returns the number of rows before a row in list order.
    #[must_use]
    pub fn rank(&self, row: RowRef) -> Option<usize> {
        self.order.rank(row)
    }

    /// Returns the vendor's anchor of the page with the row at `rank` in list
    /// order, and the number of rows of the page before it. `None` unless the
    /// anchor is a token or the beginning of the list.
    #[must_use]
    pub fn anchor_at(&self, rank: usize) -> Option<(Anchor, u16)> {
        self.marks.find(rank)
    }

    /// Decodes rows. The page has no neighbours and no total.
    #[must_use]
    pub fn page(&self, rows: impl IntoIterator<Item = RowRef>) -> RecordPage {
        let mut builder = RecordPageBuilder::default();
        let mut reader = RowReader::default();
        let mut count = 0;
        for row in rows {
            let slot = self.slots.get(row.segment());
            // A decoder has read each row once, so no row is damaged.
            let Some(row) = slot.and_then(|slot| reader.read(&slot.segment, row.row())) else { continue };
            if builder.push_json(&row.fields(), row.json).is_ok() {
                builder.mark_unread(row.unread);
                count += 1;
            }
        }
        builder.finish(PageInfo { rows: count, ..PageInfo::default() })
    }

    /// Returns the segments, in the order of the manifest.
    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.slots.iter().filter(|slot| !slot.is_free()).map(|slot| &slot.segment)
    }

    /// Returns a row's key in the order by creation time.
    pub(super) fn key_of(&self, row: RowRef) -> CreationKey<'_> {
        if row.segment() < self.slots.len() { key(&self.slots, row) } else { (None, "") }
    }
}

impl Default for StoredList {
    fn default() -> Self {
        Self::new(&[], Vec::new(), PageMarks::default(), DroppedRows::default())
    }
}
