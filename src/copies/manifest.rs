//! Manifest: everything of a list but its segments, encoded as `version ‖
//! postcard(parts)`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    DecodeError, DroppedRows, RowRef, Segment, SegmentId, StoredList, bits::Bits, id_set::IdSet, page_marks::PageMarks,
};

/// Version of the encoding. It increases with every change to the layout.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Parts {
    segments: Vec<SegmentId>,
    /// The rows in list order. Rows of the segments that are in no run are hidden.
    runs: Vec<Run>,
    marks: PageMarks,
    dropped: DroppedRows,
}

/// Rows that follow each other in the list as in their segment.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Run {
    segment: u16,
    first: u16,
    length: u16,
}

impl StoredList {
    /// Encodes everything but the segments.
    #[must_use]
    pub fn manifest_to_bytes(&self) -> Vec<u8> {
        // Free slots have no segment, so the other segments move up.
        let used = self.slots.iter().scan(0_u16, |next, slot| {
            let index = *next;
            *next = next.saturating_add(u16::from(!slot.is_free()));
            Some(index)
        });
        let new_index: Vec<_> = used.collect();
        let mut runs: Vec<Run> = Vec::new();
        for row in self.order.rows() {
            let (segment, row) = (new_index[row.segment()], u16::try_from(row.row()).unwrap_or(u16::MAX));
            match runs.last_mut() {
                Some(run) if run.segment == segment && run.first.checked_add(run.length) == Some(row) => {
                    run.length += 1;
                }
                _ => runs.push(Run { segment, first: row, length: 1 }),
            }
        }
        let segments = self.segments().map(|segment| segment.id()).collect();
        let parts = Parts { segments, runs, marks: self.marks.clone(), dropped: self.dropped };
        // Serialization to memory does not fail.
        postcard::to_extend(&parts, vec![VERSION]).unwrap_or_default()
    }

    /// Decodes a list from its manifest and its segments.
    pub fn from_parts(
        manifest: &[u8],
        segment: impl Fn(SegmentId) -> Option<Arc<Segment>>,
    ) -> Result<Self, DecodeError> {
        let (&version, payload) = manifest.split_first().ok_or(DecodeError::Damaged)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let (parts, rest) = postcard::take_from_bytes::<Parts>(payload).map_err(|_| DecodeError::Damaged)?;
        let segments = parts.segments.iter().map(|id| segment(*id)).collect::<Option<Vec<_>>>();
        let segments = segments.ok_or(DecodeError::MissingSegment)?;
        let is_bounded = u16::try_from(segments.len()).is_ok() && parts.marks.is_sorted() && rest.is_empty();
        let rows = rows(&parts.runs, &segments).filter(|_| is_bounded).ok_or(DecodeError::Damaged)?;
        let id = |row: RowRef| segments[row.segment()].ids.get(row.row()).unwrap_or_default();
        let mut ids = IdSet::default();
        if rows.iter().all(|row| ids.insert(id(*row), *row, id)) {
            Ok(Self::new(&segments, rows, parts.marks, parts.dropped))
        } else {
            Err(DecodeError::Damaged)
        }
    }
}

/// Returns the rows of runs, or `None` if a row occurs twice or is in no segment.
fn rows(runs: &[Run], segments: &[Arc<Segment>]) -> Option<Vec<RowRef>> {
    let mut seen: Vec<_> = segments.iter().map(|segment| Bits::new(segment.len())).collect();
    let mut rows = Vec::new();
    for run in runs {
        let (index, first) = (usize::from(run.segment), usize::from(run.first));
        let end = first + usize::from(run.length);
        let seen = seen.get_mut(index).filter(|_| end <= segments[index].len())?;
        for row in first..end {
            if !seen.insert(row) {
                return None;
            }
            rows.push(RowRef::new(index, row));
        }
    }
    Some(rows)
}
