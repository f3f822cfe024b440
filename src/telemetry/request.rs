//! What is noted of a request on its way, for its line in the log and the
//! figures of its caller.
//!
//! The notes travel in the request's [`Context`], so that nothing on the way
//! has to hand them on.

use std::{sync::Arc, time::Duration};

use opentelemetry::Context;
use parking_lot::Mutex;

use crate::{clock::SharedClock, domain::connection::ConnectionName};

/// What stands for a caller, a connection or a route where there is none.
pub const NONE: &str = "-";

/// The notes of one request. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct RequestNotes(Arc<Mutex<NotesSnapshot>>);

/// What has been noted.
#[derive(Debug, Clone, Default)]
pub struct NotesSnapshot {
    /// The name of the caller who asks, where one is known.
    pub caller: Option<Arc<str>>,
    /// The connections that are asked, joined by commas.
    pub connections: Option<Arc<str>>,
    /// For how long the request has waited for vendors. Waits at the same time
    /// count once.
    pub waited: Duration,
    waiting: u32,
    since: Duration,
}

/// A wait for a vendor, until it is dropped.
pub struct Wait<'c> {
    notes: Option<RequestNotes>,
    clock: &'c SharedClock,
}

impl RequestNotes {
    /// What has been noted so far.
    #[must_use]
    pub fn so_far(&self) -> NotesSnapshot {
        self.0.lock().clone()
    }

    fn current() -> Option<Self> {
        Context::map_current(|context| context.get::<Self>().cloned())
    }
}

/// Notes who makes the current request.
pub fn record_caller(caller: &Arc<str>) {
    if let Some(notes) = RequestNotes::current() {
        notes.0.lock().caller = Some(Arc::clone(caller));
    }
}

/// The name of the caller for whom the current work is done, where one is
/// known: also behind a request's back, in what it began.
#[must_use]
pub fn caller() -> Option<Arc<str>> {
    RequestNotes::current().and_then(|RequestNotes(notes)| notes.lock().caller.clone())
}

/// Notes which connections the current request asks.
pub fn record_connections(connections: &[ConnectionName]) {
    if let Some(notes) = RequestNotes::current() {
        let names: Vec<_> = connections.iter().map(ConnectionName::as_str).collect();
        notes.0.lock().connections = Some(names.join(",").into());
    }
}

/// Notes that the current request waits for a vendor.
#[must_use]
pub fn track_vendor_wait(clock: &SharedClock) -> Wait<'_> {
    let notes = RequestNotes::current();
    if let Some(RequestNotes(notes)) = &notes {
        let mut it = notes.lock();
        if it.waiting == 0 {
            it.since = clock.elapsed();
        }
        it.waiting += 1;
    }
    Wait { notes, clock }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let Some(RequestNotes(notes)) = &self.notes else { return };
        let mut it = notes.lock();
        it.waiting = it.waiting.saturating_sub(1);
        if it.waiting == 0 {
            let waited = self.clock.elapsed().saturating_sub(it.since);
            it.waited += waited;
        }
    }
}
