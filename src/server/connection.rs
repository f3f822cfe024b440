//! Connections, from accept to close.

use std::{
    cell::Cell,
    convert::Infallible,
    future::pending,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use http::{HeaderValue, Request, Version, header::CONNECTION};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    HttpService, Limits, Live, Responding, ResponseBody,
    activity::ConnectionActivity,
    body::{MAX_CHUNK, TrackedBody},
};

/// Maximum concurrent requests on an HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// Maximum size of a request head.
const MAX_HEAD: u32 = 48 << 10;
/// Bytes of request bodies that an HTTP/2 connection may send before they are read.
/// No route reads a body, so this is the initial window (RFC 9113, section 6.9.2).
const BODY_WINDOW: u32 = 65_535;
/// Maximum time for a graceful connection shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// Maximum time for a TLS handshake to finish once the server drains.
const HANDSHAKE_LINGER: Duration = Duration::from_secs(2);
/// Time that an idle HTTP/1.1 connection stays open once the server drains.
/// The client's next request may be in transit.
const LINGER: Duration = Duration::from_millis(500);

/// Phase of the server's life. The server drops the sender of the phase when it
/// ends, and the remaining connections then close at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Connections and requests are accepted.
    Serving,
    /// The listener is closed. Open connections finish their requests.
    Draining,
}

/// Serves a connection until either side closes it.
pub(super) async fn serve<S, B>(
    stream: TcpStream,
    live: Live<S>,
    phase: watch::Receiver<Phase>,
    server: Weak<watch::Sender<Phase>>,
) where
    S: HttpService<B>,
    B: ResponseBody,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "setting TCP_NODELAY failed");
    }
    let activity = ConnectionActivity::new();
    // The connection may outlive the served state, so the `Arc` is not held.
    let (tls, limits) = {
        let current = live.served();
        (current.tls.clone(), current.limits.clone())
    };
    let Some(tls) = tls else {
        return serve_connection(stream, live, phase, server, activity, &limits).await;
    };
    let mut draining = phase.clone();
    let drain_deadline = async move {
        drop(draining.changed().await);
        sleep(HANDSHAKE_LINGER).await;
    };
    tokio::select! {
        handshake = timeout(limits.header_timeout, tls.accept(stream)) => match handshake {
            Ok(Ok(stream)) => serve_connection(stream, live, phase, server, activity, &limits).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake timed out"),
        },
        () = drain_deadline => {}
    }
}

async fn serve_connection<S, B>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    live: Live<S>,
    mut phase: watch::Receiver<Phase>,
    server: Weak<watch::Sender<Phase>>,
    activity: Arc<ConnectionActivity>,
    limits: &Limits,
) where
    S: HttpService<B>,
    B: ResponseBody,
{
    let shared = Arc::clone(&activity);
    let state = Cell::new(S::Connection::default());
    let service = service_fn(move |request: Request<Incoming>| {
        let (version, activity) = (request.version(), Arc::clone(&shared));
        activity.record_request(version);
        let mut current = state.take();
        let responding = live.respond(request, &mut current);
        state.set(current);
        // The end of the process aborts vendor calls, and an aborted call is no response.
        let server = matches!(responding, Responding::Pending(_)).then(|| server.clone());
        async move {
            let mut response = match responding {
                Responding::Ready(response) => response,
                Responding::Pending(response) => {
                    let _pending = activity.begin_pending();
                    response.await?
                }
            };
            if server.is_some_and(|server| server.strong_count() == 0) {
                // The loop below closes the connection.
                pending::<()>().await;
            }
            if activity.is_closing() && version < Version::HTTP_2 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response.map(|body| TrackedBody::new(body, activity)))
        }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let first = limits.header_timeout.min(limits.idle_timeout);
    let mut timer = pin!(sleep(first.saturating_sub(activity.idle().unwrap_or_default())));
    let mut draining_since = None;
    let mut is_closing = false;
    loop {
        tokio::select! {
            biased;
            changed = phase.changed() => {
                if changed.is_err() {
                    return;
                }
                draining_since = Some(Instant::now());
                activity.set_closing();
            }
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "connection failed");
                }
                return;
            }
            () = timer.as_mut() => {}
        }
        let idle_limit =
            if is_closing { shutdown_grace(&activity, limits) } else { idle_limit(&activity, limits, draining_since) };
        // When the server drains, `LINGER` counts from the start of the drain.
        let idle = activity.idle().map(|idle| draining_since.map_or(idle, |since| idle.min(since.elapsed())));
        let unread = activity.unread().unwrap_or_default();
        if unread >= limits.idle_timeout {
            tracing::debug!("connection closed, response not read");
            return;
        }
        let mut remaining = idle_limit.saturating_sub(idle.unwrap_or_default());
        if remaining.is_zero() {
            if is_closing {
                return;
            }
            connection.as_mut().graceful_shutdown();
            is_closing = true;
            remaining = shutdown_grace(&activity, limits);
        }
        timer.as_mut().reset(Instant::now() + remaining.min(limits.idle_timeout.saturating_sub(unread)));
    }
}

/// Returns the maximum time for a graceful shutdown of the connection.
fn shutdown_grace(activity: &ConnectionActivity, limits: &Limits) -> Duration {
    // A client without a request has no response to wait for.
    if activity.had_request() { SHUTDOWN_GRACE.min(limits.idle_timeout) } else { Duration::ZERO }
}

/// Returns the maximum time that the connection may wait for a request.
fn idle_limit(activity: &ConnectionActivity, limits: &Limits, draining_since: Option<Instant>) -> Duration {
    match draining_since {
        // GOAWAY tells an HTTP/2 client which of its requests are answered.
        Some(_) if activity.is_http2() => Duration::ZERO,
        Some(_) => LINGER,
        None if activity.had_request() => limits.idle_timeout,
        None => limits.header_timeout,
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    // hyper's own timeout is off: `ConnectionActivity` limits every wait.
    server.http1().header_read_timeout(None).max_buf_size(MAX_HEAD as usize);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_send_buf_size(MAX_CHUNK)
        .initial_stream_window_size(BODY_WINDOW)
        .initial_connection_window_size(BODY_WINDOW)
        .max_header_list_size(MAX_HEAD);
    server
}
