//! `customer-gateway serve`.

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{app::App, clock::SystemClock, config::Config, server};

use super::ConfigFile;

pub(super) async fn run(file: &ConfigFile) -> anyhow::Result<()> {
    let config = Config::load(&file.config)?;
    if config.paging.cursor_key.is_none() {
        tracing::warn!("paging.cursor_key is not set: cursors end with this process, and no other replica knows them");
    }
    let listen = config.server.listen;
    let app = App::new(config, &SystemClock::shared())?;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    // Port 0 has become a port by now.
    let listen = listener.local_addr()?;
    tracing::info!(%listen, "serving");
    server::serve(listener, app.front, stopped()?).await.context("serving ended")?;
    app.tracer.flush().await;
    Ok(())
}

/// Resolves at SIGTERM or SIGINT.
pub(super) fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}
