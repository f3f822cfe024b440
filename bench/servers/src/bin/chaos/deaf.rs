//! Vendor over TLS and HTTP/2 whose connections stop answering.

use std::{
    convert::Infallible,
    future::pending,
    io,
    net::Ipv4Addr,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bench_servers::{
    client::Client,
    process::{Launch, key},
    vendor::ACCOUNT,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

use crate::{
    figures::{Effect, measure},
    stage::{MEASURED, Stage},
};

/// Longest time until the vendor is used again: 6 s of silence, and a new connection.
const RECOVERY: Duration = Duration::from_secs(10);

/// Page without rows.
const PAGE: &str = r#"{"success":true,"data":[],"has_more":false,"total_count":0}"#;

/// Connections of a vendor, which all go deaf at once.
#[derive(Clone)]
struct Deafness(Arc<std::sync::Mutex<Arc<AtomicBool>>>);

/// Socket that stops to read and write.
struct Socket {
    stream: TcpStream,
    is_deaf: Arc<AtomicBool>,
}

/// Vendor whose HTTP/2 connections neither answer nor end, while it accepts new
/// connections.
pub async fn connection(binary: PathBuf) -> Effect {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("the name is valid");
    let authority = tempfile::NamedTempFile::new().expect("the temporary directory is writable");
    std::fs::write(authority.path(), cert.pem()).expect("the temporary directory is writable");
    let key_der = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("the key is valid");
    let tls = ServerConfig::builder().with_no_client_auth();
    let mut tls = tls.with_single_cert(vec![cert.der().clone()], key_der).expect("the certificate is valid");
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a free port");
    let port = listener.local_addr().expect("the socket is bound").port();
    let deafness = Deafness(Arc::default());
    tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), deafness.clone()));

    let (text, digest) = key(&binary);
    let further = format!(
        r#"
        [[connections]]
        name = "deaf"
        vendor = "tolt"
        base_url = "https://localhost:{port}"
        credential = {{ file = "a" }}
        program_id = "{ACCOUNT}"
        [[callers]]
        name = "app"
        key_digest = "{digest}"
        connections = ["deaf"]
        "#
    );
    let wrapper = ["env".to_owned(), format!("SSL_CERT_FILE={}", authority.path().display())];
    let launch = Launch { wrapper: &wrapper, ..Launch::new(&binary) };
    let stage = Stage::start(launch, &further, "127.0.0.1").await;
    let app = Client::new(stage.gateway.port, &text, false);
    let get = async |page: u32| {
        let target = format!("/customers?connection=deaf&partner_id=part_r{page}");
        app.get(&target).await.map_or(0, |reply| reply.status)
    };
    let victim = stage.victim();
    let before = measure(&victim, MEASURED).await;
    let first = get(0).await;
    deafness.begin();
    let start = Instant::now();
    let recovery = async {
        let mut statuses = Vec::new();
        while statuses.last() != Some(&200) && start.elapsed() < RECOVERY * 2 {
            statuses.push(get(1 + statuses.len() as u32).await);
        }
        (start.elapsed(), statuses)
    };
    let (during, (recovered, statuses)) = tokio::join!(measure(&victim, MEASURED * 2), recovery);
    let text = format!("vendor used again after {:.1} s, {statuses:?}", recovered.as_secs_f64());
    let is_recovered = statuses.last() == Some(&200) && recovered <= RECOVERY;
    Effect::new(before, during).check("vendor used", first == 200).check(text, is_recovered)
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, deafness: Deafness) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, is_deaf) = (acceptor.clone(), deafness.current());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(Socket { stream, is_deaf: Arc::clone(&is_deaf) }).await else { return };
            let service = service_fn(move |_| {
                let is_deaf = is_deaf.load(Relaxed);
                async move {
                    if is_deaf {
                        pending::<()>().await;
                    }
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(PAGE.as_bytes()))))
                }
            });
            // The gateway may close the connection at any time.
            drop(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

impl Deafness {
    /// Returns the state that connections from now on share.
    fn current(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.lock().expect("no thread panicked"))
    }

    /// Makes the open connections deaf.
    fn begin(&self) {
        let current = std::mem::take(&mut *self.0.lock().expect("no thread panicked"));
        current.store(true, Relaxed);
    }
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
