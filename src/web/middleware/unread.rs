//! Bound of the memory of responses that clients have not read.
//!
//! A client that does not read keeps its responses in memory until `idle_timeout`.
//! A response counts from its creation until its last byte is passed to the
//! connection. One caller may hold as many bytes as remain free, so a caller that
//! does not read leaves at least half of the bound to the others. Static assets do
//! not count, because all responses share them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use hashbrown::HashMap;
use http_body::Body as _;
use parking_lot::Mutex;

use crate::{
    callers::Access,
    telemetry::request::NONE,
    web::{
        asset::Static,
        middleware::guarded::{Guard, GuardedBody},
        problem::{Code, Problem},
    },
};

/// `Retry-After` of a rejected response.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Bytes that a response of unknown length counts for, such as an export. A longer
/// part of it counts with its length.
const STREAM_BYTES: u64 = 1 << 20;

/// Bound of the bytes of unread responses. Clones share the bytes in use.
#[derive(Debug, Clone)]
pub(crate) struct UnreadMemory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    total: Arc<Total>,
    /// Parts by caller. The names of callers come from the configuration.
    parts: Mutex<HashMap<Arc<str>, UnreadPart>>,
}

/// Bytes of all callers.
#[derive(Debug)]
struct Total {
    max_bytes: u64,
    held: AtomicU64,
}

/// Part of one caller. Clones share the bytes in use.
#[derive(Debug, Clone)]
pub(crate) struct UnreadPart(Arc<Part>);

#[derive(Debug)]
struct Part {
    total: Arc<Total>,
    held: AtomicU64,
}

/// Bytes of one response, released when dropped.
#[derive(Debug)]
pub(crate) struct UnreadPermit {
    part: UnreadPart,
    bytes: u64,
}

/// Body with its permit.
struct Permitted {
    body: Bytes,
    _permit: UnreadPermit,
}

impl AsRef<[u8]> for Permitted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl UnreadMemory {
    /// Creates a bound of `max_bytes`.
    pub(crate) fn new(max_bytes: u64) -> Self {
        let total = Arc::new(Total { max_bytes, held: AtomicU64::new(0) });
        Self(Arc::new(Shared { total, parts: Mutex::default() }))
    }

    /// Returns the part of a caller.
    pub(crate) fn part(&self, caller: &Arc<str>) -> UnreadPart {
        let mut parts = self.0.parts.lock();
        if let Some(part) = parts.get(caller) {
            return part.clone();
        }
        let part = UnreadPart(Arc::new(Part { total: Arc::clone(&self.0.total), held: AtomicU64::new(0) }));
        parts.insert(Arc::clone(caller), part.clone());
        part
    }

    /// Returns the problem of a response beyond the bound.
    pub(crate) fn problem(&self) -> Problem {
        let max_bytes = self.0.total.max_bytes;
        let detail = format!("the unread responses have reached the limit of {max_bytes} bytes");
        Problem::new(Code::Overloaded, detail).retry_after(RETRY_AFTER)
    }
}

impl UnreadPart {
    /// Returns a body that counts until its last reference is dropped. `None` if the
    /// bound is reached.
    pub(crate) fn hold(&self, body: &Bytes) -> Option<Bytes> {
        let permit = self.try_acquire(body.len() as u64)?;
        Some(Bytes::from_owner(Permitted { body: body.clone(), _permit: permit }))
    }

    fn try_acquire(&self, bytes: u64) -> Option<UnreadPermit> {
        let Total { max_bytes, held } = &*self.0.total;
        let own = self.0.held.load(Relaxed);
        let add = |held: u64| {
            let free = max_bytes.saturating_sub(held).checked_sub(bytes)?;
            // A caller without unread responses may always hold one.
            (own == 0 || own + bytes <= free).then_some(held + bytes)
        };
        held.fetch_update(Relaxed, Relaxed, add).ok()?;
        self.0.held.fetch_add(bytes, Relaxed);
        Some(UnreadPermit { part: self.clone(), bytes })
    }
}

impl Guard for UnreadPermit {
    /// Counts a part of a stream that is longer than the permit. A stream that has
    /// begun is not interrupted.
    fn on_part(&mut self, bytes: usize) {
        let more = (bytes as u64).saturating_sub(self.bytes);
        self.part.0.total.held.fetch_add(more, Relaxed);
        self.part.0.held.fetch_add(more, Relaxed);
        self.bytes += more;
    }
}

impl Drop for UnreadPermit {
    fn drop(&mut self) {
        self.part.0.total.held.fetch_sub(self.bytes, Relaxed);
        self.part.0.held.fetch_sub(self.bytes, Relaxed);
    }
}

/// Counts the response of a request, or replaces it with a 503.
pub(crate) async fn limit(
    memory: &UnreadMemory,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    // Public routes share the part of one caller.
    let caller = request.extensions().get::<Access>().map_or_else(|| NONE.into(), Access::name);
    let response = next(request).await;
    if response.body().is_end_stream() || response.extensions().get::<Static>().is_some() {
        return response;
    }
    let bytes = response.body().size_hint().exact().unwrap_or(STREAM_BYTES);
    match memory.part(&caller).try_acquire(bytes) {
        Some(permit) => response.map(|body| Body::new(GuardedBody::new(body, permit))),
        None => memory.problem().into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_leaves_half_to_the_others() {
        let memory = UnreadMemory::new(100);
        let (first, second) = (memory.part(&Arc::from("first")), memory.part(&Arc::from("second")));
        let held: Vec<_> = std::iter::from_fn(|| first.try_acquire(10)).collect();
        assert_eq!(held.len(), 5);
        assert!(second.try_acquire(50).is_some());
        assert!(second.try_acquire(51).is_none());
        assert!(memory.part(&Arc::from("first")).try_acquire(10).is_none());
        drop(held);
        assert_eq!((memory.0.total.held.load(Relaxed), first.0.held.load(Relaxed)), (0, 0));
    }

    #[test]
    fn longer_part_of_a_stream_counts() {
        let memory = UnreadMemory::new(100);
        let held = || memory.0.total.held.load(Relaxed);
        let mut permit = memory.part(&Arc::from("caller")).try_acquire(10).unwrap();
        permit.on_part(8);
        assert_eq!(held(), 10);
        permit.on_part(30);
        assert_eq!(held(), 30);
        drop(permit);
        assert_eq!(held(), 0);
    }
}
