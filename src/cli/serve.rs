//! `customer-gateway serve`: serves the configured connections.

use std::thread;

use anyhow::Context;
use tokio::{
    net::TcpListener,
    runtime::Handle,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use crate::{
    app::{App, Reloader},
    cli::ConfigFile,
    clock::{SharedClock, SystemClock},
    config::Config,
    server,
};

pub(super) async fn run(file: &ConfigFile) -> anyhow::Result<()> {
    server::raise_descriptor_limit();
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
    let replicated = app.replicated().cloned();
    let reloader = Reloader::new(file.config.clone(), app);
    let live = reloader.live();
    let (stop_reloads, stopped) = oneshot::channel();
    start_reloads(reloader, hangup, clock, stopped)?;
    tokio::select! {
        () = server::serve(listener, live, readiness, first_signal) => {}
        () = second_signal => tracing::warn!("second signal received, exiting immediately"),
    }
    drop(stop_reloads);
    if let Some(replicated) = replicated {
        replicated.close().await;
    }
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

/// Starts a thread that reloads the configuration at SIGHUP and when files
/// change, until `stopped` resolves. Reading files blocks, and must not block a
/// thread that serves requests.
fn start_reloads(
    mut reloader: Reloader,
    mut hangup: Signal,
    clock: SharedClock,
    mut stopped: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let reloading = async move {
        loop {
            tokio::select! {
                biased;
                _ = &mut stopped => return,
                Some(()) = hangup.recv() => reloader.reload().await,
                () = clock.sleep(reloader.interval()) => reloader.reload_if_changed().await,
            }
        }
    };
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("reload".to_owned()).spawn(move || runtime.block_on(reloading));
    thread.context("cannot start a thread for reloads")?;
    Ok(())
}
