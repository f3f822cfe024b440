//! Load shedding: a limit of requests in progress. Further requests are
//! rejected at once, because a queue would delay all requests.
//!
//! Public routes and hits of the response cache need no permit. A request keeps
//! its permit until the last byte of its body is read, so exports count while
//! they run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};

use crate::{
    callers::Access,
    web::{
        middleware::guarded::{Guard, GuardedBody},
        problem::{Code, Problem},
    },
};

/// `Retry-After` of a rejected request. Most requests finish within this time.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Limit of requests in progress. Clones share the permits in use.
#[derive(Debug, Clone)]
pub(crate) struct ConcurrencyLimit {
    in_use: Arc<AtomicU32>,
    max: u32,
}

impl ConcurrencyLimit {
    /// Creates a limit of `max` permits.
    #[must_use]
    pub(crate) fn new(max: u32) -> Self {
        Self { in_use: Arc::default(), max }
    }

    /// Creates a limit of `max` permits. Permits in use count against both limits.
    #[must_use]
    pub(crate) fn reconfigured(&self, max: u32) -> Self {
        Self { in_use: Arc::clone(&self.in_use), max }
    }

    /// Returns the number of permits.
    pub(crate) fn max(&self) -> u32 {
        self.max
    }

    /// Returns the number of permits in use.
    pub(crate) fn in_use(&self) -> u32 {
        self.in_use.load(Relaxed)
    }

    fn try_acquire(&self) -> Option<ConcurrencyPermit> {
        let increment = |in_use| (in_use < self.max).then_some(in_use + 1);
        let acquired = self.in_use.fetch_update(Relaxed, Relaxed, increment).is_ok();
        acquired.then(|| ConcurrencyPermit(Arc::clone(&self.in_use)))
    }
}

/// Runs an authenticated request with a permit, or rejects the request. A
/// request for a public route needs no permit.
pub(crate) async fn shed(
    limit: &ConcurrencyLimit,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    if request.extensions().get::<Access>().is_none() {
        return next(request).await;
    }
    let Some(permit) = limit.try_acquire() else {
        let detail = format!("the requests in progress have reached the limit of {}", limit.max);
        return Problem::new(Code::Overloaded, detail).retry_after(RETRY_AFTER).into_response();
    };
    next(request).await.map(|body| Body::new(GuardedBody::new(body, permit)))
}

/// Permit for one request, released on drop.
struct ConcurrencyPermit(Arc<AtomicU32>);

impl Guard for ConcurrencyPermit {}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
