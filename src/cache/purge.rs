//! Scopes of a purge.

use super::{Entry, Key};
use crate::domain::connection::ConnectionName;

/// Entries that a purge removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All entries of these connections.
    Connections(Vec<ConnectionName>),
    /// Entries that contain this customer or were requested by its id, by
    /// connection and vendor id. The connection's "not found" entries are included,
    /// because they may concern the customer.
    Customer(ConnectionName, String),
}

impl Scope {
    /// Returns true if a purge of this scope removes the entry.
    pub(super) fn covers(&self, key: &Key, entry: &Entry) -> bool {
        match self {
            Self::Connections(names) => names.contains(&key.connection),
            Self::Customer(connection, vendor_id) => key.connection == *connection && concerns(entry, vendor_id),
        }
    }
}

/// Returns true if the purge of a customer of the entry's connection removes the entry.
pub(super) fn concerns(entry: &Entry, vendor_id: &str) -> bool {
    !entry.found || entry.page.concerns(vendor_id)
}
