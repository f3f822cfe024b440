//! Response bodies in consecutive parts, so long parts need no copy.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Response body in consecutive parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct BodyParts(VecDeque<Bytes>);

impl BodyParts {
    /// Appends a part.
    pub(crate) fn push(&mut self, part: impl Into<Bytes>) {
        self.0.push_back(part.into());
    }

    /// Returns the number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// Returns the number of parts.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the body as one part. Several parts are copied.
    pub(crate) fn join(mut self) -> Bytes {
        match self.0.len() {
            1 => self.0.pop_front().unwrap_or_default(),
            _ => self.0.make_contiguous().concat().into(),
        }
    }
}

impl<P: Into<Bytes>> From<P> for BodyParts {
    fn from(part: P) -> Self {
        Self(VecDeque::from([part.into()]))
    }
}

impl Body for BodyParts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn join_and_stream_return_all_parts() {
        let mut parts = BodyParts::from("ab");
        parts.push("");
        parts.push("cde");
        assert_eq!((parts.len(), parts.size_hint().exact()), (5, Some(5)));
        assert_eq!(parts.clone().join(), "abcde");
        assert_eq!(parts.collect().now_or_never().unwrap().unwrap().to_bytes(), "abcde");
        assert_eq!(BodyParts::default().join(), "");
    }
}
