//! Connections to hosts, directly or through the proxy of the environment.

mod stream;

use std::{
    error::Error,
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use futures_util::future::BoxFuture;
use http::{HeaderMap, Uri, header::USER_AGENT, uri::Scheme};
use hyper_rustls::HttpsConnector;
use hyper_util::client::{
    legacy::connect::{
        HttpConnector,
        dns::{GaiResolver, Name},
        proxy::Tunnel,
    },
    proxy::matcher::Matcher,
};
use tokio_rustls::rustls::ClientConfig;
use tower::{Service, ServiceExt, util::BoxCloneSyncService};

use super::{client::PRODUCT, is_local, root_cause};
use stream::{Io, Stream};

/// Silence of a TCP connection after which the kernel probes it, and the time between
/// two probes.
const TCP_KEEPALIVE: Duration = Duration::from_secs(15);
/// Number of probes without an answer after which the kernel closes a connection.
const TCP_PROBES: u32 = 3;

type BoxError = Box<dyn Error + Send + Sync>;

/// Resolver of host names.
pub(super) type Resolver = BoxCloneSyncService<Name, vec::IntoIter<SocketAddr>, io::Error>;

/// Connector to hosts. hyper-util clones it for each request.
#[derive(Debug, Clone)]
pub(super) struct Connector(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    http: HttpConnector<Resolver>,
    tls: Arc<ClientConfig>,
    /// TLS settings for proxies, without ALPN: requests to a proxy use HTTP/1.1.
    proxy_tls: Arc<ClientConfig>,
    proxies: Option<Arc<Matcher>>,
    timeout: Duration,
}

/// Returns the resolver of the system.
pub(super) fn system_resolver() -> Resolver {
    Resolver::new(GaiResolver::new().map_response(|addresses| addresses.collect::<Vec<_>>().into_iter()))
}

impl Connector {
    /// Creates a connector. Connecting takes at most `timeout`, including name resolution,
    /// all addresses of the host, the proxy and TLS.
    pub(super) fn new(resolver: Resolver, tls: ClientConfig, proxies: Option<Arc<Matcher>>, timeout: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(TCP_KEEPALIVE));
        http.set_keepalive_interval(Some(TCP_KEEPALIVE));
        http.set_keepalive_retries(Some(TCP_PROBES));
        // Divides the time between the addresses.
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
            let tunnel = tunnel.map_err(|error| proxy_error(error.into()));
            return open(HttpsConnector::from((tunnel, Arc::clone(&self.tls))), destination).await;
        }
        Ok(open(to_proxy, proxy.uri().clone()).await.map_err(proxy_error)?.forwarded())
    }
}

async fn open<C>(mut connector: C, destination: Uri) -> Result<Stream, BoxError>
where
    C: Service<Uri, Response: Io + 'static, Error = BoxError>,
{
    Ok(Stream::new(connector.call(destination).await?))
}

/// Names the proxy in an error, which otherwise seems to be the vendor's.
fn proxy_error(error: BoxError) -> io::Error {
    if is_local(&*error) {
        return io::Error::other(error);
    }
    io::Error::other(format!("the proxy failed: {}", root_cause(&*error)))
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
                .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "connecting timed out").into()))
        })
    }
}
