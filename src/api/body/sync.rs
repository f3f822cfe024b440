//! State of the stored lists of a connection.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    clock::ceil_seconds,
    copies::{Copies, ListCopy, WalkReport},
    domain::{query::Resource, timestamp::Timestamp},
};

/// The stored lists of a connection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionSync)]
pub(crate) struct SyncReport {
    /// The list of customers. Absent if the list is not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    customers: Option<SyncedList>,
    /// The list of transactions. Absent if the list is not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    transactions: Option<SyncedList>,
}

/// A stored list of a connection.
#[derive(Debug, Serialize, ToSchema)]
struct SyncedList {
    /// The state. `off`: no list is stored, and no walk has ended. `walking`: the first
    /// walk runs. `complete`: the list is stored. `incomplete`: the last walk did not
    /// prove a complete list, and no list is stored. `too_large`: the list exceeds
    /// the operator's memory limit, and no list is stored. New values may be added.
    #[schema(
        example = "complete",
        extensions(("x-extensible-enum" = json!(["off", "walking", "complete", "incomplete", "too_large"])))
    )]
    state: &'static str,
    /// True while a walk runs, also if an earlier list is stored.
    #[schema(example = false)]
    walking: bool,
    /// The number of rows of the stored list.
    #[schema(example = 12500)]
    rows: u64,
    /// The memory of the stored list, in bytes.
    #[schema(example = 6_250_000)]
    bytes: u64,
    /// The start of the walk that the stored list rests on. Null without a list.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    synced_at: Option<Timestamp>,
    /// The age of the stored list in seconds, from the start of its walk. Null
    /// without a list.
    #[schema(value_type = Option<i64>, example = 240)]
    age: Option<u64>,
    /// The last complete walk of the replica that answers. Absent before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_walk: Option<SyncWalk>,
    /// The reason why the last walk ended without a complete list. Null if it was
    /// complete, or before its end.
    #[schema(example = json!(null))]
    failure: Option<String>,
}

/// A complete walk of a list.
#[derive(Debug, Serialize, ToSchema)]
struct SyncWalk {
    /// The duration in seconds, rounded up.
    #[schema(example = 26)]
    duration: u64,
    /// The number of vendor calls.
    #[schema(example = 125)]
    calls: u64,
    /// The rows that differ from the walk before.
    changes: SyncChanges,
}

/// The numbers of rows that differ between two walks.
#[derive(Debug, Serialize, ToSchema)]
struct SyncChanges {
    /// The rows that the walk before did not have.
    #[schema(example = 3)]
    created: u64,
    /// The rows with other content.
    #[schema(example = 7)]
    updated: u64,
    /// The rows that only the walk before had.
    #[schema(example = 1)]
    deleted: u64,
}

impl SyncReport {
    /// Describes the lists at `now` on the clock of the process.
    pub(crate) fn new(copies: &Copies, now: Duration) -> Self {
        let list = |resource| copies.list(resource).map(|list| SyncedList::new(list, now));
        Self { customers: list(Resource::Customers), transactions: list(Resource::Transactions) }
    }
}

impl SyncedList {
    fn new(list: &ListCopy, now: Duration) -> Self {
        let status = list.status();
        Self {
            state: status.state.name(),
            walking: status.is_walking,
            rows: status.rows,
            bytes: status.bytes,
            synced_at: status.synced_at.map(Timestamp::from),
            age: list.age(now).map(|age| age.as_secs()),
            last_walk: status.last_walk.map(SyncWalk::from),
            failure: status.failure,
        }
    }
}

impl From<WalkReport> for SyncWalk {
    fn from(WalkReport { duration, calls, changes }: WalkReport) -> Self {
        let changes = SyncChanges { created: changes.created, updated: changes.updated, deleted: changes.deleted };
        Self { duration: ceil_seconds(duration), calls, changes }
    }
}
