//! One connection, from its first byte to its last.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

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
    HttpService, Limits, Live, ResponseBody,
    activity::{ConnectionActivity, MOST_HANDED_OUT, TrackedBody},
};

/// How many requests there may be at once on an HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// How large a request's head may be.
const MAX_HEAD: u32 = 48 << 10;
/// How long a connection that is to end may take to say goodbye at most.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// How long a handshake that has begun may go on when the gateway stops.
const HANDSHAKE_LINGER: Duration = Duration::from_secs(2);
/// How long a kept HTTP/1.1 connection stays open when the gateway stops, for
/// the request that may be on its way.
const LINGER: Duration = Duration::from_millis(500);

/// Where the server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It takes requests.
    Serving,
    /// It takes no more connections, and lets those it has end.
    Draining,
    /// It cuts off those it has left.
    Over,
}

/// Serves a connection until either side ends it.
pub(super) async fn serve<S, B>(stream: TcpStream, live: Live<S>, phase: watch::Receiver<Phase>)
where
    S: HttpService<B>,
    B: ResponseBody,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let activity = ConnectionActivity::new();
    // What is served may be replaced long before the connection ends.
    let (tls, limits) = {
        let served = live.served();
        (served.tls.clone(), served.limits.clone())
    };
    let Some(tls) = tls else {
        return serve_connection(stream, live, phase, activity, &limits).await;
    };
    let mut ending = phase.clone();
    let lingering = async move {
        drop(ending.changed().await);
        sleep(HANDSHAKE_LINGER).await;
    };
    tokio::select! {
        shaken = timeout(limits.header_timeout, tls.accept(stream)) => match shaken {
            Ok(Ok(stream)) => serve_connection(stream, live, phase, activity, &limits).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        },
        () = lingering => {}
    }
}

async fn serve_connection<S, B>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    live: Live<S>,
    mut phase: watch::Receiver<Phase>,
    activity: Arc<ConnectionActivity>,
    limits: &Limits,
) where
    S: HttpService<B>,
    B: ResponseBody,
{
    let noted = Arc::clone(&activity);
    let service = service_fn(move |request: Request<Incoming>| {
        let (version, activity) = (request.version(), Arc::clone(&noted));
        let answer = live.service().call(request);
        async move {
            let _owed = activity.asked(version);
            let mut response = answer.await?;
            if activity.is_last() && version < Version::HTTP_2 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response.map(|body| TrackedBody::new(body, activity)))
        }
    });
    let server = builder();
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    let first = limits.header_timeout.min(limits.idle_timeout);
    let mut look = pin!(sleep(first.saturating_sub(activity.idle().unwrap_or_default())));
    let mut draining = None;
    let mut is_ending = false;
    loop {
        tokio::select! {
            biased;
            Ok(()) = phase.changed() => {
                if *phase.borrow_and_update() == Phase::Over {
                    return;
                }
                draining = Some(Instant::now());
                activity.make_last();
            }
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = look.as_mut() => {}
        }
        let idle_limit =
            if is_ending { shutdown_grace(&activity, limits) } else { idle_limit(&activity, limits, draining) };
        // What has been idle for long all the same lingers when the server drains.
        let idle = activity.idle().map(|idle| draining.map_or(idle, |since| idle.min(since.elapsed())));
        let unread = activity.unread().unwrap_or_default();
        if unread >= limits.idle_timeout {
            tracing::debug!("a connection is cut off, since an answer is not read");
            return;
        }
        let mut left = idle_limit.saturating_sub(idle.unwrap_or_default());
        if left.is_zero() {
            if is_ending {
                return;
            }
            connection.as_mut().graceful_shutdown();
            is_ending = true;
            left = shutdown_grace(&activity, limits);
        }
        look.as_mut().reset(Instant::now() + left.min(limits.idle_timeout.saturating_sub(unread)));
    }
}

/// How long a connection that is to end may take to say goodbye.
fn shutdown_grace(activity: &ConnectionActivity, limits: &Limits) -> Duration {
    // Who has never asked is owed none.
    if activity.was_asked() { SHUTDOWN_GRACE.min(limits.idle_timeout) } else { Duration::ZERO }
}

/// How long it may be the client's turn.
fn idle_limit(activity: &ConnectionActivity, limits: &Limits, draining: Option<Instant>) -> Duration {
    match draining {
        // By HTTP/2 the client is told which of its requests will be answered.
        Some(_) if activity.is_http2() => Duration::ZERO,
        Some(_) => LINGER,
        None if activity.was_asked() => limits.idle_timeout,
        None => limits.header_timeout,
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    // `ConnectionActivity` limits the time of every phase.
    server.http1().header_read_timeout(None).max_buf_size(MAX_HEAD as usize);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_send_buf_size(MOST_HANDED_OUT)
        .max_header_list_size(MAX_HEAD);
    server
}
