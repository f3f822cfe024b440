//! Accepting connections: HTTP/1.1 and HTTP/2 on one port, with TLS or without,
//! and a graceful end.
//!
//! What is served may be replaced while connections are open ([`Live`]): each
//! request is answered by what is served when it comes, and to its end.

mod activity;
mod connection;
mod readiness;
mod service;
mod tls;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use connection::Phase;
pub use readiness::Readiness;
pub use service::{HttpService, ResponseBody};
pub use tls::{Tls, TlsError};

/// How long accepting rests when the process has run out of file descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// What bounds connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a client may take from connecting to the end of its first
    /// request's head.
    pub header_timeout: Duration,
    /// How long a connection may stand without a request that is worked on,
    /// and a client may take for what it was handed.
    pub idle_timeout: Duration,
    /// How many connections there may be at once; more of them wait to be
    /// accepted.
    pub max_connections: u32,
    /// How long connections are still accepted after the gateway has said that
    /// it is no longer ready.
    pub shutdown_delay: Duration,
    /// How long requests in flight may take to end after that.
    pub drain_timeout: Duration,
}

/// What is served.
#[derive(Debug)]
pub struct Served<S> {
    /// What answers.
    pub service: S,
    /// What the gateway shows of itself; without it, it speaks in the clear.
    pub tls: Option<Tls>,
    /// What bounds connections.
    pub limits: Limits,
}

/// What is served at this moment. Clones share it.
#[derive(Debug)]
pub struct Live<S>(Arc<ArcSwap<Served<S>>>);

impl<S> Clone for Live<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Clone> Live<S> {
    /// Begins with this.
    #[must_use]
    pub fn new(served: Served<S>) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(served)))
    }

    /// Serves this from the next request on.
    pub fn replace(&self, served: Served<S>) {
        self.0.store(Arc::new(served));
    }

    /// What is served at this moment.
    #[must_use]
    pub fn served(&self) -> Arc<Served<S>> {
        self.0.load_full()
    }

    fn service(&self) -> S {
        self.0.load().service.clone()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(2),
            max_connections: 10_000,
            shutdown_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(20),
        }
    }
}

/// Serves until `stop` resolves. Then readiness goes first, and after a delay
/// requests in flight are let end, and those that have reached this machine.
pub async fn serve<S, B>(listener: TcpListener, live: Live<S>, readiness: Readiness, stop: impl Future<Output = ()>)
where
    S: HttpService<B>,
    B: ResponseBody,
{
    let (phase, watcher) = watch::channel(Phase::Serving);
    let places = Arc::new(Semaphore::new(live.served().limits.max_connections as usize));
    let accept = async |place: Option<OwnedSemaphorePermit>| match listener.accept().await {
        Ok((stream, _)) => {
            let connection = connection::serve(stream, live.clone(), watcher.clone());
            tokio::spawn(connection.map(|()| drop(place)));
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_REST).await;
        }
    };
    let accepting = async {
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            accept(Some(place)).await;
        }
    };
    let stopping = async {
        stop.await;
        readiness.withdraw();
        let delay = live.served().limits.shutdown_delay;
        tracing::info!(?delay, "stopping");
        tokio::time::sleep(delay).await;
    };
    tokio::select! {
        () = accepting => {}
        () = stopping => {}
    }
    // What has connected already would be reset with the listener, also what
    // waits for a place. The runtime gets the time to hear of it.
    tokio::task::yield_now().await;
    while accept(None).now_or_never().is_some() {}
    drop(listener);
    drop(watcher);
    phase.send_replace(Phase::Draining);
    let drain_timeout = live.served().limits.drain_timeout;
    if tokio::time::timeout(drain_timeout, phase.closed()).await.is_err() {
        tracing::warn!(connections = phase.receiver_count(), "requests were still in flight, and are cut off");
        phase.send_replace(Phase::Over);
    }
    tracing::info!("stopped");
}
