//! Whose turn it is on a connection.
//!
//! It is the gateway's as long as it owes something: an answer's head, or the
//! next part of a body that the client waits for. It is the client's to take
//! what it was handed, each answer for itself, or to ask. The client's turns are
//! limited in time. So neither silence nor half a request nor an answer that is
//! not read holds a connection, whichever HTTP is spoken, and whatever else
//! goes on beside it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Version;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::Instant;

/// How much of a body is handed out at once: what is handed out is no longer
/// known to be unread.
pub(super) const MOST_HANDED_OUT: usize = 64 << 10;

/// What goes on on a connection. Its tasks share it.
#[derive(Debug)]
pub(super) struct ConnectionActivity {
    began: Instant,
    /// How much the gateway owes.
    owed: AtomicUsize,
    /// Which bodies the client has to take something of, and since when.
    handed_out: Mutex<Vec<(u64, Instant)>>,
    /// How many bodies there have been.
    bodies: AtomicU64,
    /// When something last happened, in milliseconds from the beginning.
    last: AtomicU64,
    was_asked: AtomicBool,
    is_http2: AtomicBool,
    is_last: AtomicBool,
}

/// Something that the gateway owes, until it is dropped.
#[derive(Debug)]
pub(super) struct PendingGuard(Arc<ConnectionActivity>);

/// A body on its way to the client.
#[derive(Debug)]
pub(super) struct TrackedBody<B> {
    body: B,
    /// What is left of a part that is too large to be handed out at once.
    rest: Bytes,
    id: u64,
    owed: Option<PendingGuard>,
    activity: Arc<ConnectionActivity>,
}

impl ConnectionActivity {
    /// That of a connection which begins now.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            owed: AtomicUsize::new(0),
            handed_out: Mutex::default(),
            bodies: AtomicU64::new(0),
            last: AtomicU64::new(0),
            was_asked: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            is_last: AtomicBool::new(false),
        })
    }

    /// Notes a request, whose answer is owed from now on.
    pub(super) fn asked(self: &Arc<Self>, version: Version) -> PendingGuard {
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

    /// For how long it has been the client's turn to ask; `None` while something
    /// is owed or handed out.
    pub(super) fn idle(&self) -> Option<Duration> {
        if self.owed.load(Relaxed) > 0 || !self.handed_out.lock().is_empty() {
            return None;
        }
        Some(self.began.elapsed().saturating_sub(Duration::from_millis(self.last.load(Relaxed))))
    }

    /// For how long the client has not taken what it was handed; `None` where
    /// there is nothing to take.
    pub(super) fn unread(&self) -> Option<Duration> {
        self.handed_out.lock().iter().map(|(_, since)| since.elapsed()).max()
    }

    fn owe(self: &Arc<Self>) -> PendingGuard {
        self.owed.fetch_add(1, Relaxed);
        PendingGuard(Arc::clone(self))
    }

    fn hand_out(&self, id: u64) {
        let mut handed_out = self.handed_out.lock();
        match handed_out.iter_mut().find(|(known, _)| *known == id) {
            Some((_, since)) => *since = Instant::now(),
            None => handed_out.push((id, Instant::now())),
        }
    }

    fn take_back(&self, id: u64) {
        self.handed_out.lock().retain(|(known, _)| *known != id);
        self.touch();
    }

    fn touch(&self) {
        let since = self.began.elapsed().as_millis();
        self.last.store(u64::try_from(since).unwrap_or(u64::MAX), Relaxed);
    }
}

impl Drop for PendingGuard {
    fn drop(&mut self) {
        self.0.touch();
        self.0.owed.fetch_sub(1, Relaxed);
    }
}

impl<B> TrackedBody<B> {
    /// A body on its way out of this connection.
    pub(super) fn new(body: B, activity: Arc<ConnectionActivity>) -> Self {
        let id = activity.bodies.fetch_add(1, Relaxed);
        activity.hand_out(id);
        Self { body, rest: Bytes::new(), id, owed: None, activity }
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
                Poll::Pending if self.owed.is_none() => {
                    self.owed = Some(self.activity.owe());
                    self.activity.take_back(self.id);
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
        self.activity.hand_out(self.id);
        self.owed = None;
        let most = self.rest.len().min(MOST_HANDED_OUT);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(most)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, hint) = (self.rest.len() as u64, self.body.size_hint());
        let mut all = SizeHint::new();
        all.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            all.set_upper(upper + rest);
        }
        all
    }
}

impl<B> Drop for TrackedBody<B> {
    fn drop(&mut self) {
        self.activity.take_back(self.id);
    }
}
