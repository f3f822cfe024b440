//! `customer-gateway serve`.

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
        tracing::warn!("paging.cursor_key is not set: cursors end with this process, and no other replica knows them");
    }
    let listen = config.server.listen;
    let clock = SystemClock::shared();
    let app = App::new(config, &clock)?;
    let (stopped, at_once) = (stopped(1)?, stopped(2)?);
    let hangup = signal(SignalKind::hangup()).context("SIGHUP cannot be handled")?;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    // Port 0 has become a port by now.
    let listen = listener.local_addr()?;
    tracing::info!(%listen, "serving");
    let readiness = app.readiness();
    let tracer = app.tracer().clone();
    let reloader = Reloader::new(file.config.clone(), app);
    let live = reloader.live();
    let reloading = tokio::spawn(reload(reloader, hangup, clock));
    tokio::select! {
        () = server::serve(listener, live, readiness, stopped) => {}
        () = at_once => tracing::warn!("stopped at once"),
    }
    reloading.abort();
    tracer.flush().await;
    Ok(())
}

/// Resolves when SIGTERM or SIGINT have come so many times.
pub(super) fn stopped(times: usize) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    Ok(async move {
        for _ in 0..times {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
        }
    })
}

/// Loads the configuration anew as often as it is asked to.
async fn reload(mut reloader: Reloader, mut hangup: Signal, clock: SharedClock) {
    loop {
        tokio::select! {
            Some(()) = hangup.recv() => reloader.reload().await,
            () = clock.sleep(reloader.interval()) => reloader.look().await,
        }
    }
}
