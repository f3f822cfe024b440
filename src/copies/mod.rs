//! Stored lists: complete lists of one account in memory, which answer questions
//! without vendor calls. `docs/SYNC.md` describes them for operators.
//!
//! A list is immutable. A change makes another list that shares the unchanged
//! rows. This module knows no vendor and no HTTP.

mod encoding;
mod list_copy;
mod metrics;
mod question;
mod recorder;
mod segment;
mod selection;
mod settings;
mod status;
mod stored;
mod stored_list;

pub use encoding::DecodeError;
pub use list_copy::{Copies, Fetched, Inbox, ListCopy};
pub use metrics::{SyncMetrics, WalkOutcome};
pub use question::Question;
pub use recorder::{DroppedRows, RecordError, Recorder};
pub use segment::{Segment, SegmentId};
pub use selection::{RowRef, Selection};
pub use settings::SyncSettings;
pub use status::{Changes, SyncState, SyncStatus, WalkReport};
pub use stored::Stored;
pub use stored_list::StoredList;
