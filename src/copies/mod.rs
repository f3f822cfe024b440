//! Stored lists: complete lists of one account in memory, which answer questions
//! without vendor calls. `docs/SYNC.md` describes them for operators.
//!
//! A list is immutable. A change makes another list that shares the unchanged
//! rows. This module knows no vendor and no HTTP.

mod list_copy;
mod metrics;
mod settings;
mod status;
mod stored_list;

pub use list_copy::{Copies, ListCopy, Stored};
pub use metrics::{SyncMetrics, WalkOutcome};
pub use settings::SyncSettings;
pub use status::{Changes, SyncState, SyncStatus, WalkReport};
pub use stored_list::StoredList;
