//! Reloads of the configuration while the gateway serves: at SIGHUP, and when
//! files change.
//!
//! A configuration is validated completely before it takes effect. If it is
//! invalid, the gateway keeps the previous configuration and logs the error.

use std::{path::PathBuf, time::Duration};

use crate::{
    api::ResponseCache,
    app::{App, AppError, Changes},
    config::{Config, ConfigErrors, FileState},
    domain::connection::ConnectionName,
    server::{Live, Tls, TlsError},
    telemetry::reloads::ReloadMetrics,
};

/// Interval for checking the certificate's files without `server.watch`.
const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(10);

/// A gateway that reloads its configuration.
#[derive(Debug)]
pub struct Reloader {
    path: PathBuf,
    app: App,
    live: Live<ResponseCache>,
    /// Watched files in the state of the last check.
    watched: Vec<FileState>,
    /// Error of the last reload, if the reload failed.
    last_error: Option<String>,
}

/// Reason why a reload keeps the previous state.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The gateway cannot be assembled.
    #[error(transparent)]
    App(#[from] AppError),
    /// The certificate is invalid.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Reloader {
    /// Creates a reloader for a gateway whose configuration was loaded from `path`.
    #[must_use]
    pub fn new(path: PathBuf, app: App) -> Self {
        let (live, watched) = (Live::new(app.served()), watched_files(&app));
        Self { path, app, live, watched, last_error: None }
    }

    /// Returns the state to serve, which each reload replaces.
    #[must_use]
    pub fn live(&self) -> Live<ResponseCache> {
        self.live.clone()
    }

    /// Reloads the configuration. Records the result in the log and the metrics.
    /// Blocks while files are read.
    pub async fn reload(&mut self) {
        self.last_error = None;
        self.reload_and_record().await;
    }

    /// Reloads what has changed in the watched files. After a failure, reloads the
    /// configuration at every check: its error may be about an unwatched file.
    /// Blocks while files are read.
    pub async fn reload_if_changed(&mut self) {
        let current: Vec<_> = self.watched.iter().map(|file| FileState::read(file.path().to_owned())).collect();
        let watches_all = self.app.config().server.watch.is_some();
        if current == self.watched && !(watches_all && self.last_error.is_some()) {
            return;
        }
        self.watched = current;
        if watches_all {
            self.reload_and_record().await;
        } else if let Some(tls) = &self.app.config().server.tls {
            let result = tls.reload();
            if result.is_ok() {
                tracing::info!("certificate reloaded");
            }
            record(&self.app.reloads().certificate, "certificate", result.err().map(Into::into));
        }
    }

    /// Returns the interval for calling [`Self::reload_if_changed`].
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.app.config().server.watch.unwrap_or(CERTIFICATE_INTERVAL)
    }

    /// Reloads the configuration. Records a repeated error only once.
    async fn reload_and_record(&mut self) {
        let result = self.try_reload().await;
        if let Ok(changes) = &result {
            let [added, removed, changed] =
                [&changes.added, &changes.removed, &changes.changed].map(|names| joined(names));
            tracing::info!(added, removed, changed, "configuration reloaded");
            if !changes.requires_restart.is_empty() {
                let settings = changes.requires_restart.join(", ");
                tracing::warn!(settings, "settings changed that require a restart");
            }
        }
        let error = result.as_ref().err().map(ToString::to_string);
        if error.is_none() || error != self.last_error {
            record(&self.app.reloads().configuration, "configuration", result.err());
        }
        self.last_error = error;
    }

    async fn try_reload(&mut self) -> Result<Changes, ReloadError> {
        let (app, changes) = self.app.reconfigured(Config::load(&self.path)?).await?;
        self.live.replace(app.served());
        self.app = app;
        self.watched = watched_files(&self.app);
        // The configuration includes the certificate.
        self.app.reloads().certificate.clear_failure();
        Ok(changes)
    }
}

fn record(metrics: &ReloadMetrics, what: &str, error: Option<ReloadError>) {
    metrics.record(error.is_none());
    if let Some(error) = error {
        tracing::error!(%error, "{what} reload failed, keeping the previous one");
    }
}

fn joined(names: &[ConnectionName]) -> String {
    names.iter().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ")
}

/// Returns the watched files in the state in which they were loaded.
fn watched_files(app: &App) -> Vec<FileState> {
    let config = app.config();
    let certificate = config.server.tls.iter().flat_map(Tls::files);
    let is_watched =
        |file: &&FileState| config.server.watch.is_some() || certificate.clone().any(|path| path == file.path());
    config.files.iter().filter(is_watched).cloned().collect()
}
