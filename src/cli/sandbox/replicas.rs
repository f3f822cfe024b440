//! Replicas of a sandbox: one process, several gateways.

use std::{net::SocketAddr, num::NonZeroU32, time::Duration};

use anyhow::Context;
use tokio::net::TcpListener;

use crate::{
    domain::cursor::CursorKey,
    shared::{OnLoss, RedisUrl, Settings, SharedKey},
};

use super::redis::RedisProcess;

/// Longest wait for a response of the server. Debug builds on a busy machine are slow.
const TIMEOUT: Duration = Duration::from_millis(100);
/// First part of every key.
pub(super) const PREFIX: &str = "sandbox";

/// State that the replicas share.
pub(super) struct SharedServer {
    redis: RedisProcess,
    /// Secret from which the keys of cursors and of shared state are derived.
    secret: String,
    replicas: NonZeroU32,
}

impl SharedServer {
    /// Starts a server for some replicas.
    pub(super) async fn start(replicas: NonZeroU32) -> anyhow::Result<Self> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).context("the system provides no random bytes")?;
        let secret = blake3::Hash::from_bytes(secret).to_hex().to_string();
        Ok(Self { redis: RedisProcess::start().await?, secret, replicas })
    }

    /// Returns the URL of the server.
    pub(super) fn url(&self) -> String {
        self.redis.url()
    }

    /// Returns the secret that all replicas have in common.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// Returns the key that authenticates cursors.
    pub(super) fn cursor_key(&self) -> CursorKey {
        CursorKey::derive(self.secret.as_bytes())
    }

    /// Returns the settings of each replica.
    pub(super) fn settings(&self) -> anyhow::Result<Settings> {
        Ok(Settings {
            url: RedisUrl::parse(&self.redis.url())?,
            state_url: None,
            prefix: PREFIX.to_owned(),
            timeout: TIMEOUT,
            replicas: self.replicas,
            on_loss: OnLoss::Share,
            cache: true,
            limits: true,
            leases: true,
            quotas: true,
            key: SharedKey::derive(self.secret.as_bytes()),
        })
    }
}

/// Listens on consecutive ports, or on free ports if `first` has port 0.
pub(super) async fn listen(first: SocketAddr, replicas: NonZeroU32) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    let mut address = first;
    for index in 1..=replicas.get() {
        let listener = TcpListener::bind(address).await;
        let listener =
            listener.with_context(|| format!("cannot listen on {address}; choose another port with --port"))?;
        listeners.push(listener);
        if first.port() != 0 && index < replicas.get() {
            let next = address.port().checked_add(1).context("too few ports after --port; choose a lower port")?;
            address.set_port(next);
        }
    }
    Ok(listeners)
}
