//! Response bodies whose progress is tracked.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::activity::{BodyId, ConnectionActivity, PendingGuard};

/// Maximum bytes of a body that hyper gets at once. The gateway cannot tell
/// whether a client reads bytes that hyper has buffered.
pub(super) const MAX_CHUNK: usize = 64 << 10;

/// A body that reports its progress to the connection's activity.
#[derive(Debug)]
pub(super) struct TrackedBody<B> {
    body: B,
    /// Rest of a frame that is larger than `MAX_CHUNK`.
    rest: Bytes,
    id: BodyId,
    /// Present while the client waits for the next chunk.
    pending: Option<PendingGuard>,
    activity: Arc<ConnectionActivity>,
}

impl<B> TrackedBody<B> {
    /// Wraps a body of a response on the connection.
    pub(super) fn new(body: B, activity: Arc<ConnectionActivity>) -> Self {
        Self { body, rest: Bytes::new(), id: activity.begin_body(), pending: None, activity }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for TrackedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            let polled = Pin::new(&mut self.body).poll_frame(context);
            match polled {
                Poll::Pending if self.pending.is_none() => {
                    self.pending = Some(self.activity.begin_pending());
                    self.activity.mark_read(self.id);
                    return Poll::Pending;
                }
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                Poll::Ready(end) => return Poll::Ready(end),
            }
        }
        self.activity.mark_unread(self.id);
        self.pending = None;
        let length = self.rest.len().min(MAX_CHUNK);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, hint) = (self.rest.len() as u64, self.body.size_hint());
        let mut total = SizeHint::new();
        total.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            total.set_upper(upper + rest);
        }
        total
    }
}

impl<B> Drop for TrackedBody<B> {
    fn drop(&mut self) {
        self.activity.end_body(self.id);
    }
}
