//! Loading the configuration anew while the gateway serves: at SIGHUP, and when
//! its files change.
//!
//! It is checked wholly before any of it takes effect. One that is wrong is
//! reported as at the start, and the gateway goes on as it was.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    app::{App, AppError, Changes},
    config::{Config, ConfigError},
    domain::connection::ConnectionName,
    server::{Live, Tls, TlsError},
    telemetry::reloads::Reload,
};

/// How often a certificate's files are looked at, unless `server.watch` says
/// how often all files are.
const CERTIFICATE_WATCH: Duration = Duration::from_secs(10);

/// A gateway whose configuration may be loaded anew.
#[derive(Debug)]
pub struct Reloader {
    path: PathBuf,
    app: App,
    live: Live,
    seen: blake3::Hash,
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
        let (live, seen) = (Live::new(app.served()), seen(&app));
        Self { path, app, live, seen }
    }

    /// What is served at this moment.
    #[must_use]
    pub fn live(&self) -> Live {
        self.live.clone()
    }

    /// Loads the configuration anew, and says how it went to the log and the
    /// metrics.
    pub async fn reload(&mut self) {
        let reloaded = self.try_reload().await;
        if let Ok(changes) = &reloaded {
            let [added, removed, changed] =
                [&changes.added, &changes.removed, &changes.changed].map(|names| listed(names));
            tracing::info!(added, removed, changed, "the configuration was loaded anew");
            if !changes.wants_restart.is_empty() {
                let keys = changes.wants_restart.join(", ");
                tracing::warn!(keys, "these keys changed, and count only after a restart");
            }
        }
        note(&self.app.reloads().configuration, "configuration", reloaded.err());
    }

    /// Looks whether files have changed, and loads anew what they hold.
    pub async fn look(&mut self) {
        let now = seen(&self.app);
        if now == self.seen {
            return;
        }
        self.seen = now;
        if self.app.config().server.watch.is_some() {
            self.reload().await;
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

    async fn try_reload(&mut self) -> Result<Changes, ReloadError> {
        let (app, changes) = self.app.renewed(Config::load(&self.path)?).await?;
        self.live.replace(app.served());
        self.app = app;
        self.seen = seen(&self.app);
        Ok(changes)
    }
}

fn note(reload: &Reload, what: &str, error: Option<ReloadError>) {
    reload.note(error.is_none());
    if let Some(error) = error {
        tracing::error!(%error, "the {what} could not be loaded anew, and stays as it was");
    }
}

fn listed(names: &[ConnectionName]) -> String {
    names.iter().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ")
}

/// A digest of what the watched files hold.
fn seen(app: &App) -> blake3::Hash {
    let server = &app.config().server;
    let watched: Vec<&Path> = match (&server.watch, &server.tls) {
        (Some(_), _) => app.config().files.iter().map(PathBuf::as_path).collect(),
        (None, tls) => tls.iter().flat_map(Tls::files).collect(),
    };
    let mut hasher = blake3::Hasher::new();
    for path in watched {
        // A file that is away for a moment is one that has changed.
        let contents = std::fs::read(path).unwrap_or_default();
        hasher.update(blake3::hash(&contents).as_bytes());
    }
    hasher.finalize()
}
