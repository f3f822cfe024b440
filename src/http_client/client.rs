//! Settings of HTTP clients, and their connections.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header::ACCEPT_ENCODING};
use reqwest::{Client, ClientBuilder, redirect};
use tokio_rustls::rustls::ClientConfig;

use super::{ClientError, coding};

/// Maximum idle time of a pooled connection. A vendor that closes an idle
/// connection first would race with the next request (hyper#2136).
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time to connect, over all addresses of a host. The addresses of one IP
/// version share this time equally, and the other IP version is tried in parallel
/// after 300 ms (RFC 8305).
const MAX_CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Fraction of a call's time limit after which connecting ends, so the call can be
/// retried or answered.
const CONNECT_FRACTION: f32 = 0.75;
/// Silence of an HTTP/2 connection after which a ping is sent (RFC 9113, section
/// 6.7), also without requests in flight.
const PING_INTERVAL: Duration = Duration::from_secs(3);
/// Time to answer a ping. An HTTP/2 connection without an answer is closed, and its
/// requests fail as interrupted.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// Factory of HTTP clients with equal settings. Each client has a connection pool
/// of its own.
#[derive(Debug, Clone)]
pub struct ClientFactory {
    tls: ClientConfig,
    is_loopback: bool,
    connect_timeout: Duration,
}

impl ClientFactory {
    /// Returns a factory of clients whose calls take at most `timeout`.
    pub(super) fn new(tls: ClientConfig, is_loopback: bool, timeout: Duration) -> Self {
        let connect_timeout = timeout.mul_f32(CONNECT_FRACTION).min(MAX_CONNECT_TIMEOUT);
        Self { tls, is_loopback, connect_timeout }
    }

    /// Creates a client without connections.
    pub fn create(&self) -> Result<Client, ClientError> {
        Ok(self.builder().build()?)
    }

    fn builder(&self) -> ClientBuilder {
        let builder = Client::builder().tls_backend_preconfigured(self.tls.clone());
        let builder = if self.is_loopback { builder.no_proxy() } else { builder };
        builder
            .user_agent(concat!("customer-gateway/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(coding::ACCEPTED))]))
            .redirect(redirect::Policy::none())
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(true)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, SocketAddr},
        sync::Arc,
    };

    use reqwest::dns::{Addrs, Name, Resolve, Resolving};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpSocket, TcpStream},
        time::timeout,
    };

    use super::*;
    use crate::http_client::tls;

    const DEAD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

    /// Resolver that returns a dead address first.
    struct DeadFirst;

    impl Resolve for DeadFirst {
        fn resolve(&self, _: Name) -> Resolving {
            let addresses = [DEAD, Ipv4Addr::LOCALHOST].map(|address| SocketAddr::from((address, 0)));
            Box::pin(async move { Ok(Box::new(addresses.into_iter()) as Addrs) })
        }
    }

    /// Listens on `DEAD` and fills the backlog, so further connections hang.
    async fn hang(port: u16) -> (TcpListener, Vec<TcpStream>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((DEAD, port).into()).unwrap();
        let listener = socket.listen(0).unwrap();
        let mut connections = Vec::new();
        let connect = || timeout(Duration::from_millis(200), TcpStream::connect((DEAD, port)));
        while let Ok(connection) = connect().await {
            connections.push(connection.unwrap());
        }
        (listener, connections)
    }

    // FACTS.md, case 132.
    #[tokio::test]
    async fn second_address_is_tried_within_the_call() {
        let alive = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = alive.local_addr().unwrap().port();
        let _dead = hang(port).await;
        tokio::spawn(async move {
            let (mut stream, _) = alive.accept().await.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            assert!(length > 0, "the client sends a request");
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        });

        let limit = Duration::from_secs(2);
        let factory = ClientFactory::new(tls::config().unwrap(), true, limit);
        let client = factory.builder().dns_resolver(Arc::new(DeadFirst)).build().unwrap();
        let call = client.get(format!("http://vendor.test:{port}/")).send();
        assert_eq!(timeout(limit, call).await.expect("the call ends in time").unwrap().status(), 204);
    }
}
