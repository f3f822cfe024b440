//! Parts of the benches: servers on loopback, the gateway process, its clients and
//! its vendors.

pub mod client;
pub mod process;
pub mod vendor;

use std::{convert::Infallible, io, net::Ipv4Addr};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A response with its complete body.
pub type Answer = Response<Full<Bytes>>;

/// Serves a port and responds to every request with the result of `answer`.
pub async fn serve<F>(port: u16, answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static) -> io::Result<()>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            // A disconnected client is not an error.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

/// Returns the command-line argument at `index`.
pub fn argument(index: usize, what: &str) -> String {
    std::env::args().nth(index).unwrap_or_else(|| panic!("argument {index} is missing: {what}"))
}

/// Returns the port, the first argument of every command.
pub fn port() -> u16 {
    argument(1, "the port").parse().expect("the port is a number")
}
