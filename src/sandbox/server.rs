//! A listener, and the connections it has accepted.

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

use super::gate::{Vendor, handle};

/// A vendor's listener. Dropping it also cuts the connections that clients keep open, which
/// `axum::serve` would go on to answer.
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

/// Accepts for ever. The connections are aborted with this task, whose set owns them.
async fn accept(listener: TcpListener, vendor: Arc<impl Vendor>) {
    let mut connections = JoinSet::new();
    loop {
        // Out of file descriptors, most likely: there may be some in a moment.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, Arc::clone(&vendor)));
    }
}

async fn serve(stream: TcpStream, vendor: Arc<impl Vendor>) {
    // Without it, small answers on a kept connection wait for the client's acknowledgement.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request: Request<Incoming>| {
        let vendor = Arc::clone(&vendor);
        async move {
            let (head, _) = request.into_parts();
            Ok::<_, Infallible>(handle(vendor.as_ref(), &head).await)
        }
    });
    // How a connection ends is the client's affair.
    auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await.ok();
}
