//! Notes about a request for its log line and its metrics.
//!
//! The notes are part of the request's [`Context`], so no function has to pass
//! them on.

use std::{sync::Arc, time::Duration};

use opentelemetry::Context;
use parking_lot::Mutex;

use crate::{clock::SharedClock, domain::connection::ConnectionName};

/// Placeholder in logs and metrics for a missing caller, connection or route.
pub const NONE: &str = "-";

/// Notes about one request. Clones share the notes.
#[derive(Debug, Clone, Default)]
pub struct RequestNotes(Arc<Mutex<NotesSnapshot>>);

/// State of the notes at one moment.
#[derive(Debug, Clone, Default)]
pub struct NotesSnapshot {
    /// Name of the caller, if known.
    pub caller: Option<Arc<str>>,
    /// Connections of the request, joined by commas.
    pub connections: Option<Arc<str>>,
    /// Time spent waiting for vendors. Concurrent waits count once.
    pub waited: Duration,
    /// Number of waits in progress.
    waiting: u32,
    /// Start of the waits in progress, by the clock.
    since: Duration,
}

/// A wait for a vendor, which ends when dropped.
pub struct VendorWait<'c> {
    notes: Option<RequestNotes>,
    clock: &'c SharedClock,
}

impl RequestNotes {
    /// Returns the current notes.
    #[must_use]
    pub fn snapshot(&self) -> NotesSnapshot {
        self.0.lock().clone()
    }

    fn current() -> Option<Self> {
        Context::map_current(|context| context.get::<Self>().cloned())
    }
}

/// Records the caller of the current request.
pub fn record_caller(caller: &Arc<str>) {
    if let Some(notes) = RequestNotes::current() {
        notes.0.lock().caller = Some(Arc::clone(caller));
    }
}

/// Returns the caller of the request that started the current work, if known.
/// Includes background work that outlives the request.
#[must_use]
pub fn current_caller() -> Option<Arc<str>> {
    RequestNotes::current().and_then(|RequestNotes(notes)| notes.lock().caller.clone())
}

/// Records the connections of the current request.
pub fn record_connections(connections: &[ConnectionName]) {
    if let Some(notes) = RequestNotes::current() {
        let names: Vec<_> = connections.iter().map(ConnectionName::as_str).collect();
        notes.0.lock().connections = Some(names.join(",").into());
    }
}

/// Records that the current request waits for a vendor.
#[must_use]
pub fn track_vendor_wait(clock: &SharedClock) -> VendorWait<'_> {
    let notes = RequestNotes::current();
    if let Some(RequestNotes(notes)) = &notes {
        let mut notes = notes.lock();
        if notes.waiting == 0 {
            notes.since = clock.elapsed();
        }
        notes.waiting += 1;
    }
    VendorWait { notes, clock }
}

impl Drop for VendorWait<'_> {
    fn drop(&mut self) {
        let Some(RequestNotes(notes)) = &self.notes else { return };
        let mut notes = notes.lock();
        notes.waiting = notes.waiting.saturating_sub(1);
        if notes.waiting == 0 {
            let waited = self.clock.elapsed().saturating_sub(notes.since);
            notes.waited += waited;
        }
    }
}
