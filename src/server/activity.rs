//! Whether anything goes on on a connection.
//!
//! A connection is busy while the gateway owes it something: an answer's head,
//! or the next part of a body that the client waits for. Otherwise it is the
//! client's turn, to ask or to take what it was handed, and its time is
//! limited. So neither silence nor half a request nor an answer that is not
//! read holds a connection, whichever HTTP is spoken.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::Version;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// What goes on on a connection. Its tasks share it.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    /// How much the gateway owes.
    owed: AtomicUsize,
    /// When something last happened, in milliseconds from the beginning.
    last: AtomicU64,
    was_asked: AtomicBool,
    is_http2: AtomicBool,
    is_last: AtomicBool,
}

/// Something that the gateway owes, until it is dropped.
#[derive(Debug)]
pub(super) struct Debt(Arc<Activity>);

/// A body whose parts are owed as the client asks for them.
#[derive(Debug)]
pub(super) struct Watched<B> {
    body: B,
    activity: Arc<Activity>,
    owed: Option<Debt>,
}

impl Activity {
    /// That of a connection which begins now.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            owed: AtomicUsize::new(0),
            last: AtomicU64::new(0),
            was_asked: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            is_last: AtomicBool::new(false),
        })
    }

    /// Notes a request, whose answer is owed from now on.
    pub(super) fn asked(self: &Arc<Self>, version: Version) -> Debt {
        self.was_asked.store(true, Relaxed);
        self.is_http2.store(version == Version::HTTP_2, Relaxed);
        self.owe()
    }

    /// Whether there has been a request.
    pub(super) fn was_asked(&self) -> bool {
        self.was_asked.load(Relaxed)
    }

    /// Whether requests come by HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        self.is_http2.load(Relaxed)
    }

    /// The next answer is the connection's last.
    pub(super) fn make_last(&self) {
        self.is_last.store(true, Relaxed);
    }

    /// Whether the next answer is the connection's last.
    pub(super) fn is_last(&self) -> bool {
        self.is_last.load(Relaxed)
    }

    /// For how long it has been the client's turn; `None` while it is not.
    pub(super) fn idle(&self) -> Option<Duration> {
        if self.owed.load(Relaxed) > 0 {
            return None;
        }
        Some(self.began.elapsed().saturating_sub(Duration::from_millis(self.last.load(Relaxed))))
    }

    fn owe(self: &Arc<Self>) -> Debt {
        self.owed.fetch_add(1, Relaxed);
        Debt(Arc::clone(self))
    }

    fn touch(&self) {
        let since = self.began.elapsed().as_millis();
        self.last.store(u64::try_from(since).unwrap_or(u64::MAX), Relaxed);
    }
}

impl Drop for Debt {
    fn drop(&mut self) {
        self.0.touch();
        self.0.owed.fetch_sub(1, Relaxed);
    }
}

impl<B> Watched<B> {
    /// A body on its way out of this connection.
    pub(super) fn new(body: B, activity: Arc<Activity>) -> Self {
        Self { body, activity, owed: None }
    }
}

impl<B: Body + Unpin> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match polled {
            Poll::Pending if self.owed.is_none() => self.owed = Some(self.activity.owe()),
            Poll::Pending => {}
            Poll::Ready(_) => {
                self.owed = None;
                self.activity.touch();
            }
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
