//! `customer-gateway serve`: serves the configured connections.

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

use crate::{
    app::{App, Reloader},
    cli::ConfigFile,
    clock::{SharedClock, SystemClock},
    config::Config,
    server,
};

pub(super) async fn run(file: &ConfigFile) -> anyhow::Result<()> {
    let config = Config::load(&file.config)?;
    if config.paging.cursor_key.is_none() {
        tracing::warn!(missing = "paging.cursor_key", "cursors will not survive a restart or work on other replicas");
    }
    let listen = config.server.listen;
    let clock = SystemClock::shared();
    let app = App::new(config, &clock)?;
    let (first_signal, second_signal) = (stopped(1)?, stopped(2)?);
    let hangup = signal(SignalKind::hangup()).context("cannot handle SIGHUP")?;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    // Resolves port 0.
    let listen = listener.local_addr()?;
    tracing::info!(%listen, "server started");
    let readiness = app.readiness();
    let tracer = app.tracer().clone();
    let reloader = Reloader::new(file.config.clone(), app);
    let live = reloader.live();
    let reload_task = tokio::spawn(reload(reloader, hangup, clock));
    tokio::select! {
        () = server::serve(listener, live, readiness, first_signal) => {}
        () = second_signal => tracing::warn!("second signal received, exiting immediately"),
    }
    reload_task.abort();
    tracer.flush().await;
    Ok(())
}

/// Resolves after `count` signals, each SIGTERM or SIGINT.
pub(super) fn stopped(count: usize) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    Ok(async move {
        for _ in 0..count {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
        }
    })
}

/// Reloads the configuration at SIGHUP and when files change.
async fn reload(mut reloader: Reloader, mut hangup: Signal, clock: SharedClock) {
    loop {
        tokio::select! {
            Some(()) = hangup.recv() => reloader.reload().await,
            () = clock.sleep(reloader.interval()) => reloader.reload_if_changed().await,
        }
    }
}
