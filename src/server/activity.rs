//! Activity of a connection, for its time limits.
//!
//! The server is busy while a response head is pending or a client waits for
//! the next chunk of a body. Otherwise the connection waits for the client: to
//! read a chunk, or to send a request. These waits are limited. So a silent
//! client, an unfinished request or an unread response cannot hold a
//! connection, with either version of HTTP and with any concurrent requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use coarsetime::Instant;
use http::Version;
use parking_lot::Mutex;

/// Activity of one connection, shared by its tasks.
#[derive(Debug)]
pub(super) struct ConnectionActivity {
    start: Instant,
    /// Number of heads and chunks that the server has to produce.
    pending: AtomicUsize,
    /// Bodies with an unread chunk, and the time of the chunk in milliseconds since
    /// `start`.
    unread: Mutex<Vec<(BodyId, u64)>>,
    next_body: AtomicU64,
    /// Time of the last activity, in milliseconds since `start`.
    last_active: AtomicU64,
    had_request: AtomicBool,
    is_http2: AtomicBool,
    is_closing: AtomicBool,
}

/// Id of a response body on its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BodyId(u64);

/// Marks a head or a chunk as pending until dropped.
#[derive(Debug)]
pub(super) struct PendingGuard(Arc<ConnectionActivity>);

impl ConnectionActivity {
    /// Creates the activity of a new connection.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now_without_cache_update(),
            pending: AtomicUsize::new(0),
            unread: Mutex::default(),
            next_body: AtomicU64::new(0),
            last_active: AtomicU64::new(0),
            had_request: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
        })
    }

    /// Records a request.
    pub(super) fn record_request(&self, version: Version) {
        self.had_request.store(true, Relaxed);
        self.is_http2.store(version == Version::HTTP_2, Relaxed);
    }

    /// Marks a head or a chunk as pending.
    pub(super) fn begin_pending(self: &Arc<Self>) -> PendingGuard {
        self.pending.fetch_add(1, Relaxed);
        PendingGuard(Arc::clone(self))
    }

    /// Returns whether the connection has had a request.
    pub(super) fn had_request(&self) -> bool {
        self.had_request.load(Relaxed)
    }

    /// Returns whether the connection uses HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        self.is_http2.load(Relaxed)
    }

    /// Makes the next response the last response of the connection.
    pub(super) fn set_closing(&self) {
        self.is_closing.store(true, Relaxed);
    }

    /// Returns whether the next response is the last response of the connection.
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Relaxed)
    }

    /// Returns the time spent waiting for a request. `None` while the server is
    /// busy or a response is unread.
    pub(super) fn idle(&self) -> Option<Duration> {
        if self.pending.load(Relaxed) > 0 || !self.unread.lock().is_empty() {
            return None;
        }
        Some(Duration::from_millis(self.now().saturating_sub(self.last_active.load(Relaxed))))
    }

    /// Returns the age of the oldest unread chunk. `None` if no chunk is unread.
    pub(super) fn unread(&self) -> Option<Duration> {
        let since = self.unread.lock().iter().map(|(_, since)| *since).min()?;
        Some(Duration::from_millis(self.now().saturating_sub(since)))
    }

    /// Records the head of a response, which is unread, and returns the id of
    /// its body.
    pub(super) fn begin_body(&self) -> BodyId {
        let id = BodyId(self.next_body.fetch_add(1, Relaxed));
        self.mark_unread(id);
        id
    }

    /// Records that a body has a chunk to read, from now on.
    pub(super) fn mark_unread(&self, id: BodyId) {
        let now = self.now();
        let mut unread = self.unread.lock();
        match unread.iter_mut().find(|(body, _)| *body == id) {
            Some((_, since)) => *since = now,
            None => unread.push((id, now)),
        }
    }

    /// Records that the client has read all chunks of a body and waits for the next chunk.
    pub(super) fn mark_read(&self, id: BodyId) {
        self.take_unread(id);
        self.touch();
    }

    /// Records the end of a body.
    pub(super) fn end_body(&self, id: BodyId) {
        if self.take_unread(id).is_some() {
            self.touch();
        }
    }

    fn take_unread(&self, id: BodyId) -> Option<u64> {
        let mut unread = self.unread.lock();
        let index = unread.iter().position(|(body, _)| *body == id)?;
        Some(unread.swap_remove(index).1)
    }

    fn touch(&self) {
        self.last_active.fetch_max(self.now(), Relaxed);
    }

    /// Returns the time since `start` in milliseconds, by the kernel's coarse clock: the
    /// limits have seconds, and each request reads the clock twice.
    fn now(&self) -> u64 {
        Instant::now_without_cache_update().duration_since(self.start).as_millis()
    }
}

impl Drop for PendingGuard {
    fn drop(&mut self) {
        // The end of an unread body is the last activity.
        if self.0.unread.lock().is_empty() {
            self.0.touch();
        }
        self.0.pending.fetch_sub(1, Relaxed);
    }
}
