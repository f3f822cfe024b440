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
    breaks: bool,
}

impl VendorBody {
    pub(super) fn whole(data: Bytes) -> Self {
        Self { data: Some(data), breaks: false }
    }

    /// Creates a body whose connection is closed in its middle.
    pub(super) fn broken(data: Bytes) -> Self {
        Self { data: Some(data), breaks: true }
    }
}

impl Body for VendorBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match self.data.take() {
            Some(data) => Some(Ok(Frame::data(data))),
            None if self.breaks => Some(Err(io::ErrorKind::ConnectionReset.into())),
            None => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        match &self.data {
            Some(data) if !self.breaks => SizeHint::with_exact(data.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

