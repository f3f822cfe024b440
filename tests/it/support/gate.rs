//! A gate in front of a vendor, which lets requests wait.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// Proxy in front of a vendor. While closed, requests wait.
pub(crate) struct Gate {
    pub(crate) url: String,
    open: watch::Sender<bool>,
    asked: watch::Receiver<usize>,
}

impl Gate {
    /// Starts an open gate in front of a vendor.
    pub(crate) async fn in_front_of(base_url: &str) -> Self {
        let vendor = base_url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (open, opened) = watch::channel(true);
        let (count, asked) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (requests, answers) = client.into_split();
                let (from_vendor, to_vendor) = TcpStream::connect(&vendor).await.unwrap().into_split();
                tokio::spawn(forward_requests(requests, to_vendor, opened.clone(), count.clone()));
                tokio::spawn(forward_responses(from_vendor, answers));
            }
        });
        Self { url, open, asked }
    }

    pub(crate) fn close(&self) {
        self.open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until this many requests have arrived, forwarded or not.
    pub(crate) async fn wait_for_requests(&self, requests: usize) {
        self.asked.clone().wait_for(|asked| *asked >= requests).await.unwrap();
    }

    /// Returns the number of requests that have arrived.
    pub(crate) fn requests(&self) -> usize {
        *self.asked.borrow()
    }
}

/// Forwards requests, each of which is short enough for one read.
async fn forward_requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut open: watch::Receiver<bool>,
    count: watch::Sender<usize>,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        count.send_modify(|count| *count += 1);
        if open.wait_for(|open| *open).await.is_err() || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

async fn forward_responses(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    // The end of either side ends both.
    drop(tokio::io::copy(&mut from, &mut to).await);
}
