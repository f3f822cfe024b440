//! Stored lists: complete lists of one account in memory, which answer questions
//! without vendor calls. `docs/SYNC.md` describes them for operators.
//!
//! A list is immutable. A change makes another list that shares the unchanged
//! rows. This module knows no vendor and no HTTP.

mod bits;
mod column;
mod compaction;
mod creation;
mod encoding;
mod fields;
mod id_set;
mod inbox;
mod json_rows;
mod list_copy;
mod list_edit;
mod lists;
mod manifest;
mod metrics;
mod page_marks;
mod question;
mod recorder;
mod row_filter;
mod row_order;
mod segment;
mod segment_builder;
mod segment_encoding;
mod selection;
mod sequence;
mod settings;
mod slot;
mod status;
mod stored;
mod stored_list;
mod template;

pub use encoding::DecodeError;
pub use inbox::{Fetched, Inbox};
pub use list_copy::{Filling, ListCopy};
pub use lists::Copies;
pub use metrics::{SyncMetrics, WalkOutcome};
pub use question::Question;
pub use recorder::{DroppedRows, RecordError, Recorder};
pub use row_order::RowRef;
pub use segment::{Segment, SegmentId};
pub use selection::Selection;
pub use settings::SyncSettings;
pub use status::{Changes, SyncState, SyncStatus, WalkReport};
pub use stored::{ListWatch, Stored};
pub use stored_list::StoredList;

#[cfg(test)]
mod tests;
