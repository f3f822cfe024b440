//! Connections through proxies and to several addresses.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tower::service_fn;

use super::*;
use crate::http_client::{root_cause, tls};

const DEAD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Proxy that reads one request and sends `response`. Returns the proxy's URL, and the
/// received request with the bytes after the response.
async fn proxy(response: &'static str) -> (String, JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = format!("http://user:word@{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(response.as_bytes()).await.unwrap();
        let mut rest = vec![0; 4096];
        let length = stream.read(&mut rest).await.unwrap_or(0);
        rest.truncate(length);
        (String::from_utf8(request).unwrap(), rest)
    });
    (address, serving)
}

/// Sends a request for `url` through a proxy of the environment.
async fn send_through(proxy: &str, url: &str) -> Result<Response<Incoming>, legacy::Error> {
    let proxies = Matcher::builder().all(proxy).no("127.0.0.1").build();
    let factory = ClientFactory::new(tls::config().unwrap(), true, Duration::from_secs(10));
    let client = ClientFactory { proxies: Some(Arc::new(proxies)), ..factory }.create();
    client.send(Request::get(url).body(Full::default()).unwrap()).await
}

#[tokio::test]
async fn proxy_forwards_requests_without_tls() {
    let (address, serving) = proxy("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
    let response = send_through(&address, "http://vendor.test/v1/customers?limit=1").await.unwrap();
    assert_eq!(response.status(), 204);
    let (request, _) = serving.await.unwrap();
    assert!(request.starts_with("GET http://vendor.test/v1/customers?limit=1 HTTP/1.1\r\n"), "{request}");
    for header in ["host: vendor.test", "proxy-authorization: Basic dXNlcjp3b3Jk", "accept-encoding: gzip,br"] {
        assert!(request.contains(&format!("\r\n{header}\r\n")), "{header} in {request}");
    }
}

#[tokio::test]
async fn proxy_tunnels_requests_with_tls() {
    let (address, serving) = proxy("HTTP/1.1 200 OK\r\n\r\n").await;
    let error = send_through(&address, "https://vendor.test/v1/customers").await.unwrap_err();
    let (request, handshake) = serving.await.unwrap();
    assert!(request.starts_with("CONNECT vendor.test:443 HTTP/1.1\r\n"), "{request}");
    for header in ["proxy-authorization: basic dxnlcjp3b3jk", "user-agent: customer-gateway/"] {
        assert!(request.to_lowercase().contains(&format!("\r\n{header}")), "{header} in {request}");
    }
    // The handshake of TLS names the host (RFC 6066, section 3), and HTTP/2.
    assert_eq!(handshake[0], 0x16, "{error:?}");
    for name in [&b"vendor.test"[..], b"h2"] {
        assert!(handshake.windows(name.len()).any(|window| window == name), "{handshake:?}");
    }
}

#[tokio::test]
async fn refused_tunnel_is_an_error() {
    let (address, serving) = proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let error = send_through(&address, "https://vendor.test/?name=Jim").await.unwrap_err();
    assert_eq!(root_cause(&error), "the proxy failed: tunnel error: proxy authorization required");
    let debug = format!("{error:?}");
    assert!(["Jim", "word", "dXNlcjp3b3Jk"].iter().all(|secret| !debug.contains(secret)), "{debug}");
    serving.await.unwrap();
}

#[tokio::test]
async fn unreachable_proxy_is_named() {
    for url in ["http://vendor.test/", "https://vendor.test/"] {
        let error = send_through("http://user:word@127.0.0.2:1", url).await.unwrap_err();
        assert_eq!(root_cause(&error), "the proxy failed: Connection refused (os error 111)", "{url}");
    }
}

#[tokio::test]
async fn excluded_host_is_reached_directly() {
    let (host, serving) = proxy("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
    let host = host.replace("user:word@", "");
    let response = send_through("http://127.0.0.2:1", &format!("{host}/v1/customers")).await.unwrap();
    assert_eq!(response.status(), 204);
    let (request, _) = serving.await.unwrap();
    assert!(request.starts_with("GET /v1/customers HTTP/1.1\r\n"), "{request}");
    assert!(!request.contains("proxy-authorization"), "{request}");
}

/// Starts an HTTP/2 server that refuses the first requests, and answers the next one.
/// Returns its URL.
async fn refusing(refusals: usize) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut remaining = refusals;
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(accepted) = connection.accept().await {
            let (_, mut respond) = accepted.unwrap();
            if remaining == 0 {
                respond.send_response(Response::builder().status(204).body(()).unwrap(), true).unwrap();
            } else {
                remaining -= 1;
                respond.send_reset(Reason::REFUSED_STREAM);
            }
        }
    });
    url
}

#[tokio::test]
async fn refused_request_is_sent_again() {
    for (refusals, expected) in [(0, Some(204)), (2, Some(204)), (3, None)] {
        let connector =
            Connector::new(connector::system_resolver(), tls::config().unwrap(), None, Duration::from_secs(10));
        let client = Client { pool: pool_settings().http2_only(true).build(connector), proxies: None };
        let request = Request::get(refusing(refusals).await).body(Full::default()).unwrap();
        let sent = client.send(request).await;
        assert_eq!(sent.ok().map(|response| response.status().as_u16()), expected, "{refusals} refusals");
    }
}

/// Returns a resolver of an address that does not answer, then one that does.
fn dead_first() -> Resolver {
    let addresses = [DEAD, Ipv4Addr::LOCALHOST].map(|address| SocketAddr::from((address, 0)));
    Resolver::new(service_fn(move |_| async move { Ok(Vec::from(addresses).into_iter()) }))
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
    let client = ClientFactory::new(tls::config().unwrap(), true, limit).create_with(dead_first());
    let request = Request::get(format!("http://vendor.test:{port}/")).body(Full::default()).unwrap();
    assert_eq!(timeout(limit, client.send(request)).await.expect("the call ends in time").unwrap().status(), 204);
}
