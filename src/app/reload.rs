//! Loading the configuration anew while the gateway serves: at SIGHUP, and when
//! its files change.
//!
//! It is checked wholly before any of it takes effect. One that is wrong is
//! reported as at the start, and the gateway goes on as it was.

use std::{path::PathBuf, time::Duration};

use crate::{
    api::ResponseCache,
    app::{App, AppError, Changes},
    config::{Config, ConfigError, FileState},
    domain::connection::ConnectionName,
    server::{Live, Tls, TlsError},
    telemetry::reloads::ReloadMetrics,
};

/// How often a certificate's files are looked at, unless `server.watch` says
/// how often all files are.
const CERTIFICATE_WATCH: Duration = Duration::from_secs(10);

/// A gateway whose configuration may be loaded anew.
#[derive(Debug)]
pub struct Reloader {
    path: PathBuf,
    app: App,
    live: Live<ResponseCache>,
    /// The watched files as they were when they were last looked at.
    seen: Vec<FileState>,
    /// Why the configuration was refused, while it is.
    refusal: Option<String>,
}

/// Why a gateway goes on as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No gateway can be put together.
    #[error(transparent)]
    App(#[from] AppError),
    /// The certificate cannot be shown.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Reloader {
    /// Begins with what was made of the configuration at `path`.
    #[must_use]
    pub fn new(path: PathBuf, app: App) -> Self {
        let (live, seen) = (Live::new(app.served()), watched(&app));
        Self { path, app, live, seen, refusal: None }
    }

    /// What is served at this moment.
    #[must_use]
    pub fn live(&self) -> Live<ResponseCache> {
        self.live.clone()
    }

    /// Loads the configuration anew, and says how it went to the log and the
    /// metrics.
    pub async fn reload(&mut self) {
        self.refusal = None;
        self.reload_quietly().await;
    }

    /// Looks whether files have changed, and loads anew what they hold. A
    /// configuration that was refused may name files that those watched do not
    /// have among them: it is loaded at each look, until it can be.
    pub async fn look(&mut self) {
        let now: Vec<_> = self.seen.iter().map(|file| FileState::read(file.path().to_owned())).collect();
        let is_watched = self.app.config().server.watch.is_some();
        if now == self.seen && !(is_watched && self.refusal.is_some()) {
            return;
        }
        self.seen = now;
        if is_watched {
            self.reload_quietly().await;
        } else if let Some(tls) = &self.app.config().server.tls {
            let reloaded = tls.reload();
            if reloaded.is_ok() {
                tracing::info!("the certificate was loaded anew");
            }
            note(&self.app.reloads().certificate, "certificate", reloaded.err().map(Into::into));
        }
    }

    /// How long to wait before the next look.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.app.config().server.watch.unwrap_or(CERTIFICATE_WATCH)
    }

    /// Loads the configuration anew, and is silent on what was said before.
    async fn reload_quietly(&mut self) {
        let reloaded = self.try_reload().await;
        if let Ok(changes) = &reloaded {
            let [added, removed, changed] =
                [&changes.added, &changes.removed, &changes.changed].map(|names| listed(names));
            tracing::info!(added, removed, changed, "the configuration was loaded anew");
            if !changes.requires_restart.is_empty() {
                let keys = changes.requires_restart.join(", ");
                tracing::warn!(keys, "these keys changed, and count only after a restart");
            }
        }
        let refusal = reloaded.as_ref().err().map(ToString::to_string);
        if refusal.is_none() || refusal != self.refusal {
            note(&self.app.reloads().configuration, "configuration", reloaded.err());
        }
        self.refusal = refusal;
    }

    async fn try_reload(&mut self) -> Result<Changes, ReloadError> {
        let (app, changes) = self.app.reconfigured(Config::load(&self.path)?).await?;
        self.live.replace(app.served());
        self.app = app;
        self.seen = watched(&self.app);
        // It has the certificate with it.
        self.app.reloads().certificate.clear_failure();
        Ok(changes)
    }
}

fn note(reload: &ReloadMetrics, what: &str, error: Option<ReloadError>) {
    reload.record(error.is_none());
    if let Some(error) = error {
        tracing::error!(%error, "the {what} could not be loaded anew, and stays as it was");
    }
}

fn listed(names: &[ConnectionName]) -> String {
    names.iter().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ")
}

/// The watched files, as they were when they were loaded.
fn watched(app: &App) -> Vec<FileState> {
    let config = app.config();
    let certificate = config.server.tls.iter().flat_map(Tls::files);
    let is_watched =
        |file: &&FileState| config.server.watch.is_some() || certificate.clone().any(|path| path == file.path());
    config.files.iter().filter(is_watched).cloned().collect()
}
