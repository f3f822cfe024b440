//! Recording of a walk.

use std::{hash::BuildHasher, sync::Arc};

use hashbrown::{DefaultHashBuilder, HashTable};
use serde::{Deserialize, Serialize};

use crate::domain::{
    anchor::Anchor,
    page::{Anomalies, RecordPage},
};

use super::{
    Changes, RowRef, Segment, StoredList,
    bits::Bits,
    page_marks::PageMarks,
    segment::{Row, RowReader},
    segment_builder::SegmentBuilder,
};

/// Recorder of a walk, page by page. Rows that equal those of the previous list
/// are shared, so a walk without changes takes about 20 bytes for each row.
#[derive(Debug)]
pub struct Recorder {
    previous: Arc<StoredList>,
    /// The rows of the previous list that the walk had, by segment.
    seen: Vec<Bits>,
    /// The segments of the previous list that the new list has.
    shared: Bits,
    /// The rank in the previous list at which the next row is expected.
    expected: usize,
    /// The complete new segments.
    segments: Vec<Arc<Segment>>,
    builder: SegmentBuilder,
    /// The rows in list order. Segments of the previous list come first.
    rows: Vec<RowRef>,
    created: CreatedIds,
    marks: PageMarks,
    dropped: DroppedRows,
    changes: Changes,
    /// The memory of complete segments that the new list has so far, in bytes.
    bytes: usize,
    max_bytes: u64,
}

/// A page that a recorder rejects.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum RecordError {
    /// The walk had the row before: rows moved during the walk.
    #[error("the walk returned the row {0:?} twice")]
    Repeated(String),
    /// The list exceeds its maximum memory.
    #[error("the list exceeds `max_bytes`")]
    TooLarge,
}

/// Rows that the vendor's pages had and that a list does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DroppedRows {
    /// Rows of another account.
    pub foreign: u32,
    /// Null rows.
    pub null: u32,
    /// Rows that cannot be read.
    pub unreadable: u32,
}

/// Ids of the rows that the previous list lacks.
#[derive(Default)]
struct CreatedIds {
    rows: HashTable<RowRef>,
    hasher: DefaultHashBuilder,
}

/// Memory of a row in the orders of a list, in bytes.
const ORDER_BYTES: usize = 16;

impl Recorder {
    /// Starts a recording. `previous` is the list of the walk before. `max_bytes`
    /// is the maximum memory of the new list.
    #[must_use]
    pub fn new(previous: Option<Arc<StoredList>>, max_bytes: u64) -> Self {
        let previous = previous.unwrap_or_default();
        let shared = Bits::new(previous.slots.len());
        let seen = previous.slots.iter().map(|slot| Bits::new(slot.segment.len())).collect();
        Self {
            previous,
            seen,
            shared,
            expected: 0,
            segments: Vec::new(),
            builder: SegmentBuilder::new(),
            rows: Vec::new(),
            created: CreatedIds::default(),
            marks: PageMarks::default(),
            dropped: DroppedRows::default(),
            changes: Changes::default(),
            bytes: 0,
            max_bytes,
        }
    }

    /// Appends a page. Takes about 10 µs for each new row, and up to a second if a
    /// segment is complete: call it on a blocking thread. After an error, the
    /// recording is useless.
    pub fn push_page(&mut self, anchor: &Anchor, page: &RecordPage) -> Result<(), RecordError> {
        let rank = u32::try_from(self.rows.len()).map_err(|_| RecordError::TooLarge)?;
        self.marks.push(rank, anchor);
        self.dropped.add(&page.info().anomalies);
        let mut reader = RowReader::default();
        for index in 0..page.len() {
            self.push_row(&Row::of_page(page, index), &mut reader)?;
        }
        let bytes = self.bytes + self.builder.bytes() + self.rows.len() * ORDER_BYTES + self.marks.bytes();
        if bytes as u64 > self.max_bytes { Err(RecordError::TooLarge) } else { Ok(()) }
    }

    /// Returns the list and its changes since the previous list. Takes a few
    /// seconds if most rows changed: call it on a blocking thread.
    pub fn finish(mut self) -> Result<(StoredList, Changes), RecordError> {
        self.complete_segment()?;
        let Self { previous, segments, rows, marks, dropped, mut changes, max_bytes, .. } = self;
        let kept = rows.len() as u64 - changes.created;
        changes.deleted = (previous.len() as u64).saturating_sub(kept);
        let shared = previous.slots.iter().map(|slot| &slot.segment);
        let segments: Vec<_> = shared.chain(&segments).cloned().collect();
        drop(previous);
        let mut list = StoredList::new(&segments, rows, marks, dropped);
        drop(segments);
        while let Some(compacted) = list.compacted() {
            list = compacted;
        }
        if list.bytes() > max_bytes { Err(RecordError::TooLarge) } else { Ok((list, changes)) }
    }

    fn push_row(&mut self, row: &Row<'_>, reader: &mut RowReader) -> Result<(), RecordError> {
        let Some(old) = self.previous_row(row.id) else {
            let shared = self.previous.slots.len();
            if !self.created.insert(row.id, self.next_row()?, |row| id(&self.segments, &self.builder, shared, row)) {
                return Err(RecordError::Repeated(row.id.to_owned()));
            }
            self.changes.created += 1;
            return self.store(row);
        };
        let segment = &self.previous.slots[old.segment()].segment;
        if !self.seen[old.segment()].insert(old.row()) {
            return Err(RecordError::Repeated(row.id.to_owned()));
        }
        if reader.read(segment, old.row()).as_ref() != Some(row) {
            self.changes.updated += 1;
            return self.store(row);
        }
        if self.shared.insert(old.segment()) {
            self.bytes += segment.bytes();
        }
        self.rows.push(old);
        Ok(())
    }

    /// Returns the row of the previous list with an id. Walks return most rows in
    /// the order of the walk before.
    fn previous_row(&mut self, id: &str) -> Option<RowRef> {
        let expected = self.previous.order.rows().get(self.expected).copied();
        let expected = expected.filter(|row| self.previous.id(*row) == id);
        let found = expected.or_else(|| self.previous.find(id))?;
        self.expected = self.previous.rank(found)? + 1;
        Some(found)
    }

    /// Returns the place of the next row that is stored.
    fn next_row(&self) -> Result<RowRef, RecordError> {
        let segment = self.previous.slots.len() + self.segments.len();
        if segment > usize::from(u16::MAX) {
            return Err(RecordError::TooLarge);
        }
        Ok(RowRef::new(segment, self.builder.len()))
    }

    /// Stores a row in the new segment.
    fn store(&mut self, row: &Row<'_>) -> Result<(), RecordError> {
        let place = self.next_row()?;
        self.builder.push(row).ok_or(RecordError::TooLarge)?;
        self.rows.push(place);
        if self.builder.is_complete() { self.complete_segment() } else { Ok(()) }
    }

    fn complete_segment(&mut self) -> Result<(), RecordError> {
        if self.builder.len() > 0 {
            let builder = std::mem::replace(&mut self.builder, SegmentBuilder::new());
            let segment = builder.finish().ok_or(RecordError::TooLarge)?;
            self.bytes += segment.bytes();
            self.segments.push(Arc::new(segment));
        }
        Ok(())
    }
}

/// Returns the id of a new row.
fn id<'a>(segments: &'a [Arc<Segment>], builder: &'a SegmentBuilder, shared: usize, row: RowRef) -> &'a str {
    let index = row.segment().saturating_sub(shared);
    let id = match segments.get(index) {
        Some(segment) => segment.ids.get(row.row()),
        None => builder.id(row.row()),
    };
    id.unwrap_or_default()
}

impl CreatedIds {
    /// Adds the id of a row. Returns false if another row has the id.
    fn insert<'a>(&mut self, id: &str, row: RowRef, id_of: impl Fn(RowRef) -> &'a str) -> bool {
        let hash = self.hasher.hash_one(id);
        if self.rows.find(hash, |other| id_of(*other) == id).is_some() {
            return false;
        }
        self.rows.insert_unique(hash, row, |row| self.hasher.hash_one(id_of(*row)));
        true
    }
}

impl std::fmt::Debug for CreatedIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedIds").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl DroppedRows {
    /// Returns true if a page had rows that the list does not serve.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, anomalies: &Anomalies) {
        self.foreign = self.foreign.saturating_add(anomalies.foreign_rows);
        self.null = self.null.saturating_add(anomalies.null_rows);
        self.unreadable = self.unreadable.saturating_add(anomalies.unreadable_rows);
    }
}
