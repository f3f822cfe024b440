//! Accepting connections: HTTP/1.1 and HTTP/2 on one port, slow clients cut
//! off, and a graceful end.

use std::{io, time::Duration};

use axum::extract::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::net::{TcpListener, TcpStream};

use crate::api::Front;

/// How long a client may take to send its headers.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests in flight may take to end when the gateway stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long accepting rests when the process has run out of file descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Serves until `stop` resolves, then lets requests in flight end.
pub async fn serve(listener: TcpListener, front: Front, stop: impl Future<Output = ()>) -> io::Result<()> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_READ_TIMEOUT);
    server.http2().timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_REST).await;
                    continue;
                }
            },
        };
        let (server, front, watcher) = (server.clone(), front.clone(), graceful.watcher());
        tokio::spawn(async move {
            // Until the first byte nobody knows which HTTP is spoken, and no
            // time limit of hyper's holds.
            if !matches!(tokio::time::timeout(HEADER_READ_TIMEOUT, stream.readable()).await, Ok(Ok(()))) {
                return;
            }
            let service = service_fn(move |request: Request<Incoming>| front.clone().answer(request));
            let connection = server.serve_connection_with_upgrades(io_of(stream), service);
            if let Err(error) = watcher.watch(connection.into_owned()).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight at the end");
    }
    Ok(())
}

fn io_of(stream: TcpStream) -> TokioIo<TcpStream> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    TokioIo::new(stream)
}
