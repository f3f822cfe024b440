//! HTTP/2 connections to a vendor that stop answering. FACTS.md, cases 133 and 134.

use std::{
    convert::Infallible,
    future::pending,
    io,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::{Running, command, configure};
use crate::{
    serving::write_certificate,
    support::{tolt_page, tolt_row},
};

/// Failure of the vendor's first connection, from its second request on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deafness {
    /// Requests are not answered, and pings are.
    Requests,
    /// Nothing is read or written.
    Everything,
    /// Requests are answered with 503.
    Failures,
}

/// Socket that can stop to read and write.
struct Socket {
    stream: TcpStream,
    is_deaf: Arc<AtomicBool>,
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_deaf.load(Relaxed) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_deaf.load(Relaxed) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Starts a vendor over TLS. Returns its base URL.
async fn start_vendor(directory: &Path, deafness: Deafness) -> String {
    write_certificate(directory);
    let [certificate, key] = ["tls.crt", "tls.key"].map(|file| std::fs::read(directory.join(file)).unwrap());
    let chain = vec![CertificateDer::from_pem_slice(&certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&key).unwrap();
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let mut is_first = true;
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let deafness = std::mem::take(&mut is_first).then_some(deafness);
            tokio::spawn(serve_connection(acceptor.clone(), stream, deafness));
        }
    });
    url
}

async fn serve_connection(acceptor: TlsAcceptor, stream: TcpStream, deafness: Option<Deafness>) {
    let is_deaf = Arc::new(AtomicBool::new(false));
    let stream = acceptor.accept(Socket { stream, is_deaf: Arc::clone(&is_deaf) }).await.unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let service = service_fn(move |request: Request<Incoming>| {
        assert_eq!(request.version(), Version::HTTP_2);
        let is_answered = deafness.is_none() || requests.fetch_add(1, Relaxed) == 0;
        is_deaf.store(!is_answered && deafness == Some(Deafness::Everything), Relaxed);
        async move {
            let page = tolt_page(&[tolt_row("cust_1")], false).to_string();
            let mut response = Response::new(Full::new(Bytes::from(page)));
            match deafness {
                _ if is_answered => {}
                Some(Deafness::Failures) => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
                _ => pending().await,
            }
            Ok::<_, Infallible>(response)
        }
    });
    // The gateway may close the connection at any time.
    drop(auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await);
}

/// Starts a gateway that trusts the vendor's certificate. Returns its URL.
fn start_gateway(directory: &Path, vendor: &str, timeout: &str) -> (Running, String) {
    let path = directory.join("gateway.toml");
    configure(&path, vendor, "");
    let text = std::fs::read_to_string(&path).unwrap() + &format!("timeout = \"{timeout}\"\n");
    std::fs::write(&path, text).unwrap();
    let mut command = command(&["--log-format", "json", "serve", "--config", path.to_str().unwrap()]);
    let mut running = Running::spawn(command.env("SSL_CERT_FILE", directory.join("tls.crt")));
    let logged = running.read_log_until(r#""message":"server started""#);
    let started: Value = serde_json::from_str(logged.lines().last().unwrap()).unwrap();
    (running, format!("http://{}", started["fields"]["listen"].as_str().unwrap()))
}

/// Requests a page and returns the status.
async fn get_page(url: &str, page: usize) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(format!("{url}/customers?partner_id=part_{page}")).send().await.unwrap().status().as_u16()
}

/// Requests three pages, one by one, and returns the statuses.
async fn get_pages(url: &str) -> [u16; 3] {
    let mut statuses = [0; 3];
    for (page, status) in statuses.iter_mut().enumerate() {
        *status = get_page(url, page).await;
    }
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn timeout_leads_to_a_new_connection() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = start_vendor(directory.path(), Deafness::Requests).await;
    let (_running, url) = start_gateway(directory.path(), &vendor, "1s");
    assert_eq!(get_pages(&url).await, [200, 504, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deaf_connection_is_replaced_within_a_call() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = start_vendor(directory.path(), Deafness::Everything).await;
    let (_running, url) = start_gateway(directory.path(), &vendor, "25s");
    assert_eq!(get_pages(&url).await, [200, 200, 200]);
}

/// A connection whose requests all fail, and that stays open.
#[tokio::test(flavor = "multi_thread")]
async fn probe_uses_a_new_connection() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = start_vendor(directory.path(), Deafness::Failures).await;
    let (_running, url) = start_gateway(directory.path(), &vendor, "5s");
    assert_eq!(get_page(&url, 0).await, 200);
    let mut page = 1;
    // The breaker opens and sends a probe later. Only a new connection answers it.
    while get_page(&url, page).await != 200 {
        assert!(page < 1_000, "the probe failed");
        page += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(page > 1, "no request failed");
}
