//! Load shedding: so many requests are worked on at once, and one more is told
//! to come back, since a queue in here would only make all of them late.
//!
//! What needs no work is always answered: what is remembered (`front`), and the
//! routes that need no key. A request is worked on until the last part of its
//! answer has been handed out, so that exports count as long as they last.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::{
    callers::Access,
    web::problem::{Code, Problem},
};

/// When to come back: most requests are answered sooner.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Places for requests.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit {
    taken: Arc<AtomicU32>,
    count: u32,
}

/// A permit that is taken, until it is dropped.
struct ConcurrencyPermit(Arc<AtomicU32>);

/// A body that holds its request's permit.
struct PermitBody {
    body: Body,
    _permit: ConcurrencyPermit,
}

impl ConcurrencyLimit {
    /// So many.
    #[must_use]
    pub fn new(count: u32) -> Self {
        Self { taken: Arc::default(), count }
    }

    /// So many in permit of these; those that are taken count.
    #[must_use]
    pub fn reconfigured(&self, count: u32) -> Self {
        Self { taken: Arc::clone(&self.taken), count }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> u32 {
        self.taken.load(Relaxed)
    }

    fn take(&self) -> Option<ConcurrencyPermit> {
        let more = |taken| (taken < self.count).then_some(taken + 1);
        self.taken.fetch_update(Relaxed, Relaxed, more).is_ok().then(|| ConcurrencyPermit(Arc::clone(&self.taken)))
    }
}

/// Answers a request for which there is a permit, or that needs none.
pub(crate) async fn shed(State(limit): State<ConcurrencyLimit>, request: Request, next: Next) -> Response {
    if request.extensions().get::<Access>().is_none() {
        return next.run(request).await;
    }
    let Some(permit) = limit.take() else {
        let detail = format!("{} requests are being worked on, and there is no permit for more", limit.count);
        return Problem::new(Code::Overloaded, detail).retry_after(RETRY_AFTER).into_response();
    };
    next.run(request).await.map(|body| Body::new(PermitBody { body, _permit: permit }))
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl http_body::Body for PermitBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
