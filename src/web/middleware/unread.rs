//! Bound of the memory of responses that clients have not read.
//!
//! A client that does not read keeps its responses in memory until `idle_timeout`.
//! A response counts from its creation until its last byte is passed to the
//! connection. One caller may hold as many bytes as remain free, so a caller that
//! does not read leaves at least half of the bound to the others. Static assets do
//! not count, because all responses share them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
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
    max_bytes: u64,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    total: u64,
    /// Bytes by caller.
    by_caller: HashMap<Arc<str>, u64>,
}

/// Bytes of one response, released when dropped.
#[derive(Debug)]
pub(crate) struct UnreadPermit {
    memory: UnreadMemory,
    caller: Arc<str>,
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
        Self(Arc::new(Shared { max_bytes, held: Mutex::default() }))
    }

    /// Returns a body that counts until its last reference is dropped. `None` if the
    /// bound is reached.
    pub(crate) fn hold(&self, caller: &Arc<str>, body: &Bytes) -> Option<Bytes> {
        let permit = self.try_acquire(caller, body.len() as u64)?;
        Some(Bytes::from_owner(Permitted { body: body.clone(), _permit: permit }))
    }

    /// Returns the problem of a response beyond the bound.
    pub(crate) fn problem(&self) -> Problem {
        let detail = format!("the unread responses have reached the limit of {} bytes", self.0.max_bytes);
        Problem::new(Code::Overloaded, detail).retry_after(RETRY_AFTER)
    }

    fn try_acquire(&self, caller: &Arc<str>, bytes: u64) -> Option<UnreadPermit> {
        let mut held = self.0.held.lock();
        let own = held.by_caller.get(caller).copied().unwrap_or(0);
        let free = self.0.max_bytes.saturating_sub(held.total).checked_sub(bytes)?;
        // A caller without unread responses may always hold one.
        if own > 0 && own + bytes > free {
            return None;
        }
        held.add(caller, bytes);
        Some(UnreadPermit { memory: self.clone(), caller: Arc::clone(caller), bytes })
    }
}

impl Held {
    fn add(&mut self, caller: &Arc<str>, bytes: u64) {
        self.total += bytes;
        *self.by_caller.entry(Arc::clone(caller)).or_default() += bytes;
    }
}

impl Guard for UnreadPermit {
    /// Counts a part of a stream that is longer than the permit. A stream that has
    /// begun is not interrupted.
    fn on_part(&mut self, bytes: usize) {
        let more = (bytes as u64).saturating_sub(self.bytes);
        if more > 0 {
            self.memory.0.held.lock().add(&self.caller, more);
            self.bytes += more;
        }
    }
}

impl Drop for UnreadPermit {
    fn drop(&mut self) {
        let mut held = self.memory.0.held.lock();
        held.total = held.total.saturating_sub(self.bytes);
        if let Some(own) = held.by_caller.get_mut(&self.caller) {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                held.by_caller.remove(&self.caller);
            }
        }
    }
}

/// Counts the response of a request, or replaces it with a 503.
pub(crate) async fn limit(State(memory): State<UnreadMemory>, request: Request, next: Next) -> Response {
    // Public routes share the part of one caller.
    let caller = request.extensions().get::<Access>().map_or_else(|| NONE.into(), Access::name);
    let response = next.run(request).await;
    if response.body().is_end_stream() || response.extensions().get::<Static>().is_some() {
        return response;
    }
    let bytes = response.body().size_hint().exact().unwrap_or(STREAM_BYTES);
    match memory.try_acquire(&caller, bytes) {
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
        let (first, second) = (Arc::from("first"), Arc::from("second"));
        let held: Vec<_> = std::iter::from_fn(|| memory.try_acquire(&first, 10)).collect();
        assert_eq!(held.len(), 5);
        assert!(memory.try_acquire(&second, 50).is_some());
        assert!(memory.try_acquire(&second, 51).is_none());
        drop(held);
        let held = memory.0.held.lock();
        assert!(held.total == 0 && held.by_caller.is_empty());
    }

    #[test]
    fn longer_part_of_a_stream_counts() {
        let memory = UnreadMemory::new(100);
        let mut permit = memory.try_acquire(&Arc::from("caller"), 10).unwrap();
        permit.on_part(8);
        assert_eq!(memory.0.held.lock().total, 10);
        permit.on_part(30);
        assert_eq!(memory.0.held.lock().total, 30);
        drop(permit);
        assert_eq!(memory.0.held.lock().total, 0);
    }
}
