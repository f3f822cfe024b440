//! Body of a vendor's response.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Body of one part, which may break off after it.
pub(super) struct VendorBody {
    data: Option<Bytes>,
    end: End,
}

/// Event after the last byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Complete,
    Broken,
    Never,
}

impl VendorBody {
    pub(super) fn whole(data: Bytes) -> Self {
        Self { data: Some(data), end: End::Complete }
    }

    /// Creates a body whose connection is closed in its middle.
    pub(super) fn broken(data: Bytes) -> Self {
        Self { data: Some(data), end: End::Broken }
    }

    /// Creates a body whose end never comes.
    pub(super) fn endless(data: Bytes) -> Self {
        Self { data: Some(data), end: End::Never }
    }
}

impl Body for VendorBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match (self.data.take(), self.end) {
            (Some(data), _) => Poll::Ready(Some(Ok(Frame::data(data)))),
            (None, End::Complete) => Poll::Ready(None),
            (None, End::Broken) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            // The connection's end drops the body.
            (None, End::Never) => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.data {
            Some(data) if self.end == End::Complete => SizeHint::with_exact(data.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
