//! Response bodies that hold a permit until they are dropped.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// Permit of a body, informed of the body's parts.
pub(crate) trait Guard: Send + Unpin + 'static {
    /// Records a part of the body that the client reads next.
    fn on_part(&mut self, _bytes: usize) {}
}

/// Response body with a permit.
pub(crate) struct GuardedBody<G> {
    body: Body,
    guard: G,
}

impl<G> GuardedBody<G> {
    /// Wraps a body.
    pub(crate) fn new(body: Body, guard: G) -> Self {
        Self { body, guard }
    }
}

impl<G: Guard> http_body::Body for GuardedBody<G> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(part) = frame.data_ref()
        {
            self.guard.on_part(part.len());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
