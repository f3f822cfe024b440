//! `[cache]`, and the `cache` table of a connection.

use crate::{cache::Policy, directory::Policies};

use super::file;

/// Cache settings of the gateway.
#[derive(Debug, Clone)]
pub struct Cache {
    /// Maximum memory for cached pages and responses, in bytes.
    pub max_bytes: u64,
}

impl Default for Cache {
    fn default() -> Self {
        Self { max_bytes: 256 << 20 }
    }
}

impl From<file::Cache> for Cache {
    fn from(section: file::Cache) -> Self {
        Self { max_bytes: section.max_bytes.map_or(Self::default().max_bytes, |size| size.0.as_u64()) }
    }
}

impl file::Cache {
    /// Returns the policy of all connections without overrides.
    pub(super) fn policy(&self) -> Policy {
        let policy = file::Policy {
            fresh: self.fresh,
            stale_while_revalidate: self.stale_while_revalidate,
            stale_if_error: self.stale_if_error,
            not_found: self.not_found,
        };
        policy.or(Policy::default())
    }
}

impl file::ConnectionCache {
    /// Returns the policies of a connection. Overrides for a kind of page precede
    /// overrides for the connection, which precede `defaults`.
    pub(super) fn policies(&self, defaults: Policy) -> Policies {
        let connection = file::Policy {
            fresh: self.fresh,
            stale_while_revalidate: self.stale_while_revalidate,
            stale_if_error: self.stale_if_error,
            not_found: self.not_found,
        };
        let policy = connection.or(defaults);
        Policies {
            customers: self.customers.or(policy),
            customer: self.customer.or(policy),
            transactions: self.transactions.or(policy),
        }
    }
}

impl file::Policy {
    /// Returns a policy with `defaults` for absent values.
    fn or(&self, defaults: Policy) -> Policy {
        Policy {
            fresh: self.fresh.map_or(defaults.fresh, |it| it.0),
            stale_while_revalidate: self.stale_while_revalidate.map_or(defaults.stale_while_revalidate, |it| it.0),
            stale_if_error: self.stale_if_error.map_or(defaults.stale_if_error, |it| it.0),
            not_found: self.not_found.map_or(defaults.not_found, |it| it.0),
        }
    }
}
