//! Accept loop and graceful shutdown.

use std::{
    io::{self, ErrorKind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use super::{
    HttpService, Live, Readiness, ResponseBody,
    connection::{self, Phase},
    descriptors,
};

/// Pause after a failed accept. The usual cause, a lack of file descriptors or
/// memory, lasts until a connection is closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `stop` resolves, then shuts down gracefully.
///
/// The number of connections is limited by `max_connections`, and by the process's
/// limit of file descriptors at the start.
///
/// The shutdown withdraws readiness and accepts connections for
/// `shutdown_delay` more. It then waits at most `drain_timeout` for requests in
/// flight, including requests on connections that wait in the backlog. Dropping
/// the future closes all connections.
pub async fn serve<S, B>(listener: TcpListener, live: Live<S>, readiness: Readiness, stop: impl Future<Output = ()>)
where
    S: HttpService<B>,
    B: ResponseBody,
{
    let (phase, watcher) = watch::channel(Phase::Serving);
    let phase = Arc::new(phase);
    let max_connections = descriptors::max_connections(live.served().limits.max_connections);
    let permits = Arc::new(Semaphore::new(max_connections as usize));
    let has_failed = AtomicBool::new(false);
    let accept = async |permit: Option<OwnedSemaphorePermit>| match listener.accept().await {
        Ok((stream, _)) => {
            has_failed.store(false, Relaxed);
            let connection = connection::serve(stream, live.clone(), watcher.clone(), Arc::downgrade(&phase));
            tokio::spawn(connection.map(|()| drop(permit)));
        }
        Err(error) if is_closed(&error) => {}
        Err(error) => {
            if !has_failed.swap(true, Relaxed) {
                tracing::warn!(%error, "connection accept failed");
            }
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    };
    let accepting = async {
        while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
            accept(Some(permit)).await;
        }
    };
    let stopping = async {
        stop.await;
        readiness.withdraw();
        let delay = live.served().limits.shutdown_delay;
        tracing::info!(?delay, "shutdown started");
        tokio::time::sleep(delay).await;
    };
    tokio::select! {
        () = accepting => {}
        () = stopping => {}
    }
    // Closing the listener resets the connections in its backlog, so they are
    // accepted first, without permits. The yield lets the runtime register the
    // connections that have just arrived.
    tokio::task::yield_now().await;
    while accept(None).now_or_never().is_some() {}
    drop(listener);
    drop(watcher);
    phase.send_replace(Phase::Draining);
    let drain_timeout = live.served().limits.drain_timeout;
    if tokio::time::timeout(drain_timeout, phase.closed()).await.is_err() {
        tracing::warn!(connections = phase.receiver_count(), "drain timeout reached, closing remaining connections");
    }
    drop(phase);
    tracing::info!("shutdown completed");
}

/// Returns whether the client closed the connection before it was accepted.
fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused)
}
