//! Comparison of two configurations.

use crate::{
    config::{Config, Connection},
    domain::connection::ConnectionName,
};

/// Changes from one configuration to another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// New connections.
    pub added: Vec<ConnectionName>,
    /// Removed connections.
    pub removed: Vec<ConnectionName>,
    /// Connections with changed settings.
    pub changed: Vec<ConnectionName>,
    /// Changed settings that take effect after a restart only.
    pub requires_restart: Vec<&'static str>,
}

impl Changes {
    /// Compares a configuration with its successor.
    pub(super) fn between(old: &Config, new: &Config) -> Self {
        let mut changes = Self::default();
        for connection in &new.connections {
            match old.connections.iter().find(|old| old.name == connection.name) {
                None => changes.added.push(connection.name.clone()),
                Some(old) if old != connection => changes.changed.push(connection.name.clone()),
                Some(_) => {}
            }
        }
        let is_removed = |old: &&Connection| !new.connections.iter().any(|new| new.name == old.name);
        changes.removed = old.connections.iter().filter(is_removed).map(|old| old.name.clone()).collect();
        let fixed = [
            ("server.listen", old.server.listen != new.server.listen),
            ("server.max_connections", old.server.limits.max_connections != new.server.limits.max_connections),
            ("server.max_vendor_bytes", old.server.max_vendor_bytes != new.server.max_vendor_bytes),
            ("server.max_unread_bytes", old.server.max_unread_bytes != new.server.max_unread_bytes),
            ("shared", old.shared != new.shared),
            ("telemetry", old.telemetry != new.telemetry),
            ("cache.max_bytes", old.cache.max_bytes != new.cache.max_bytes),
        ];
        changes.requires_restart =
            fixed.into_iter().filter(|(_, is_changed)| *is_changed).map(|(key, _)| key).collect();
        changes
    }
}

/// Keeps the settings that require a restart.
pub(super) fn keep_fixed_settings(old: &Config, new: &mut Config) {
    new.server.listen = old.server.listen;
    new.server.limits.max_connections = old.server.limits.max_connections;
    new.server.max_vendor_bytes = old.server.max_vendor_bytes;
    new.server.max_unread_bytes = old.server.max_unread_bytes;
    new.shared.clone_from(&old.shared);
    new.telemetry.clone_from(&old.telemetry);
    new.cache.max_bytes = old.cache.max_bytes;
}

/// Returns the connections whose account is not in the new configuration.
pub(super) fn dropped_accounts(old: &Config, new: &Config) -> Vec<ConnectionName> {
    let is_dropped = |old: &&Connection| !new.connections.iter().any(|new| new.is_same_account(old));
    old.connections.iter().filter(is_dropped).map(|old| old.name.clone()).collect()
}
