//! Connections to hosts, directly or through the proxy of the environment.

use std::{
    error::Error,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use futures_util::future::BoxFuture;
use http::{HeaderMap, Uri, header::USER_AGENT, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::{
    legacy::connect::{
        Connected, Connection, HttpConnector,
        dns::{GaiResolver, Name},
        proxy::Tunnel,
    },
    proxy::matcher::Matcher,
};
use tokio_rustls::rustls::ClientConfig;
use tower::{Service, ServiceExt, util::BoxCloneSyncService};

use super::client::PRODUCT;

/// Silence of a TCP connection after which the kernel probes it, and the time between
/// two probes.
const TCP_KEEPALIVE: Duration = Duration::from_secs(15);
/// Number of probes without an answer after which the kernel closes a connection.
const TCP_PROBES: u32 = 3;

type BoxError = Box<dyn Error + Send + Sync>;

/// Resolver of host names.
pub(super) type Resolver = BoxCloneSyncService<Name, vec::IntoIter<SocketAddr>, io::Error>;

/// Connector to hosts. Each request clones it.
#[derive(Debug, Clone)]
pub(super) struct Connector(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    http: HttpConnector<Resolver>,
    tls: Arc<ClientConfig>,
    /// TLS to proxies, which speak HTTP/1.1.
    proxy_tls: Arc<ClientConfig>,
    proxies: Option<Arc<Matcher>>,
    timeout: Duration,
}

/// Open connection.
pub(super) struct Stream {
    io: Box<dyn Io>,
    /// True if a proxy forwards the requests, so they have absolute URIs.
    is_forwarded: bool,
}

/// Connection with or without TLS.
trait Io: Read + Write + Connection + Send + Unpin {}

impl<T: Read + Write + Connection + Send + Unpin> Io for T {}

/// Returns the resolver of the system.
pub(super) fn system_resolver() -> Resolver {
    Resolver::new(GaiResolver::new().map_response(|addresses| addresses.collect::<Vec<_>>().into_iter()))
}

impl Connector {
    /// Creates a connector. Connecting takes at most `timeout`, over all addresses of a
    /// host, with TLS and a proxy.
    pub(super) fn new(resolver: Resolver, tls: ClientConfig, proxies: Option<Arc<Matcher>>, timeout: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(TCP_KEEPALIVE));
        http.set_keepalive_interval(Some(TCP_KEEPALIVE));
        http.set_keepalive_retries(Some(TCP_PROBES));
        http.set_connect_timeout(Some(timeout));
        let mut proxy_tls = tls.clone();
        proxy_tls.alpn_protocols.clear();
        Self(Arc::new(Settings { http, tls: tls.into(), proxy_tls: proxy_tls.into(), proxies, timeout }))
    }
}

impl Settings {
    async fn connect(&self, destination: Uri) -> Result<Stream, BoxError> {
        let proxy = self.proxies.as_ref().and_then(|proxies| proxies.intercept(&destination));
        let Some(proxy) = proxy else {
            return open(HttpsConnector::from((self.http.clone(), Arc::clone(&self.tls))), destination).await;
        };
        let to_proxy = HttpsConnector::from((self.http.clone(), Arc::clone(&self.proxy_tls)));
        if destination.scheme() == Some(&Scheme::HTTPS) {
            let headers = HeaderMap::from_iter([(USER_AGENT, PRODUCT)]);
            let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy).with_headers(headers);
            if let Some(authorization) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(authorization.clone());
            }
            return open(HttpsConnector::from((tunnel, Arc::clone(&self.tls))), destination).await;
        }
        let stream = open(to_proxy, proxy.uri().clone()).await?;
        Ok(Stream { is_forwarded: true, ..stream })
    }
}

async fn open<C>(mut connector: C, destination: Uri) -> Result<Stream, BoxError>
where
    C: Service<Uri, Response: Io + 'static, Error = BoxError>,
{
    let stream = connector.call(destination).await?;
    Ok(Stream { io: Box::new(stream), is_forwarded: false })
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Stream, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let settings = Arc::clone(&self.0);
        Box::pin(async move {
            tokio::time::timeout(settings.timeout, settings.connect(destination))
                .await
                .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "operation timed out").into()))
        })
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.is_forwarded)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, buffers)
    }
}
