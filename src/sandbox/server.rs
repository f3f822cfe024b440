//! HTTP server of a vendor.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::{gate::handle, vendor::Vendor};

/// Listener of a vendor. Dropping the server also closes idle client connections, which
/// `axum::serve` would continue to serve.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(address: SocketAddr, vendor: Arc<impl Vendor>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { address: listener.local_addr()?, accepting: tokio::spawn(accept(listener, vendor)) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts connections until the task is aborted. The task owns the connections, which are aborted
/// with it.
async fn accept(listener: TcpListener, vendor: Arc<impl Vendor>) {
    let mut connections = JoinSet::new();
    loop {
        // Most likely out of file descriptors: retry after a pause.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, Arc::clone(&vendor)));
    }
}

async fn serve(stream: TcpStream, vendor: Arc<impl Vendor>) {
    // With Nagle's algorithm, small responses on an open connection would wait for the client's
    // acknowledgement.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request: Request<Incoming>| {
        let vendor = Arc::clone(&vendor);
        async move {
            let (head, _) = request.into_parts();
            Ok::<_, Infallible>(handle(vendor.as_ref(), &head).await)
        }
    });
    // A connection error is not an error of the sandbox.
    auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await.ok();
}
