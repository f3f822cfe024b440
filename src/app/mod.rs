//! The gateway: assembled from a configuration, and replaced on reload.

mod assemble;
mod changes;
mod error;
mod reload;
mod shared_state;

use std::sync::Arc;

use crate::{
    api::ResponseCache,
    cache::Scope,
    clock::SharedClock,
    config::Config,
    directory::Directory,
    server::{Readiness, Served},
    shared::Shared,
    telemetry::{reloads::Reloads, trace::Tracer},
};

use assemble::Components;
pub use changes::Changes;
pub use error::AppError;
pub use reload::{ReloadError, Reloader};
use shared_state::SharedState;

/// The gateway, ready to be served.
pub struct App {
    config: Config,
    components: Components,
    response_cache: ResponseCache,
    shared: SharedState,
}

impl App {
    /// Assembles a gateway. Must be called within the runtime that serves it.
    pub fn new(config: Config, clock: &SharedClock) -> Result<Self, AppError> {
        let shared = SharedState::new(&config, clock)?;
        let components = Components::empty(&shared)?.reconfigured(&config, &shared)?;
        Ok(Self::from_components(config, components, shared))
    }

    /// Assembles the gateway of another configuration. Keeps the cached pages of
    /// unchanged accounts, the breakers of unchanged connections, and the budgets of
    /// unchanged rate limits. An error leaves this gateway unchanged.
    pub async fn reconfigured(&self, mut config: Config) -> Result<(Self, Changes), AppError> {
        let changes = Changes::between(&self.config, &config);
        changes::keep_fixed_settings(&self.config, &mut config);
        let listen = config.server.listen;
        if config.callers.is_empty() && !listen.ip().is_loopback() {
            return Err(AppError::UnauthenticatedListener(listen));
        }
        let components = self.components.reconfigured(&config, &self.shared)?;
        let dropped = changes::dropped_accounts(&self.config, &config);
        if !dropped.is_empty() {
            self.shared.cache.purge(&Scope::Connections(dropped)).await;
        }
        Ok((Self::from_components(config, components, self.shared.clone()), changes))
    }

    fn from_components(config: Config, components: Components, shared: SharedState) -> Self {
        let response_cache = components.response_cache(&config, &shared);
        Self { config, components, response_cache, shared }
    }

    /// Returns the service, the certificate and the limits to serve.
    #[must_use]
    pub fn served(&self) -> Served<ResponseCache> {
        let server = &self.config.server;
        Served { service: self.response_cache.clone(), tls: server.tls.clone(), limits: server.limits.clone() }
    }

    /// Returns the readiness, which is shared by all configurations of this gateway.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.shared.readiness.clone()
    }

    /// Returns the connections and their lists.
    #[must_use]
    pub fn directory(&self) -> &Arc<Directory> {
        &self.components.directory
    }

    /// Returns the state that other replicas share, if configured.
    #[must_use]
    pub fn replicated(&self) -> Option<&Shared> {
        self.shared.replicated.as_ref()
    }

    /// Returns the exporter of spans.
    #[must_use]
    pub fn tracer(&self) -> &Tracer {
        &self.shared.tracer
    }

    /// Returns the metrics of reloads.
    #[must_use]
    pub fn reloads(&self) -> &Reloads {
        &self.shared.reloads
    }

    /// Returns the configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("directory", self.directory()).finish_non_exhaustive()
    }
}
