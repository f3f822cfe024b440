//! Budgets of all credentials, kept across reloads.

use std::sync::Arc;

use crate::{
    clock::SharedClock,
    shared::Shared,
    upstream::{CallerShare, Credential},
};

use super::{Budget, RateLimit};

/// Budgets by credential and host. A budget lives as long as the process, so a
/// connection that is removed and added again does not exceed the limit.
#[derive(Debug, Default)]
pub struct BudgetRegistry {
    entries: Vec<BudgetEntry>,
}

#[derive(Debug, Clone)]
struct BudgetEntry {
    credential: Credential,
    host: String,
    budget: Budget,
    /// Limit of the current configuration; `None` if no connection uses the
    /// budget.
    limit: Option<RateLimit>,
}

impl BudgetRegistry {
    /// Returns a registry of the same budgets for another configuration.
    #[must_use]
    pub fn reconfigured(&self) -> Self {
        let entries = self.entries.iter().map(|entry| BudgetEntry { limit: None, ..entry.clone() });
        Self { entries: entries.collect() }
    }

    /// Returns the budget of a credential at a host. The limit of the first
    /// connection applies, after [`apply`](Self::apply). With `shared`, the replicas
    /// count the limit together.
    pub fn get_or_create(
        &mut self,
        credential: &Credential,
        host: &str,
        limit: &RateLimit,
        shared: Option<&Shared>,
        clock: &SharedClock,
    ) -> Budget {
        let known = self.entries.iter_mut().find(|entry| entry.host == host && entry.credential == *credential);
        if let Some(entry) = known {
            entry.limit.get_or_insert_with(|| limit.clone());
            return entry.budget.clone();
        }
        let shared =
            shared.and_then(|shared| shared.limit(&credential.fingerprint(&shared.settings().key, &["limit", host])));
        let budget = match shared {
            Some(shared) => Budget::shared(limit, shared, Arc::clone(clock)),
            None => Budget::new(limit, Arc::clone(clock)),
        };
        self.entries.push(BudgetEntry {
            credential: credential.clone(),
            host: host.to_owned(),
            budget: budget.clone(),
            limit: Some(limit.clone()),
        });
        budget
    }

    /// Sets the limits of this configuration and the caller shares of all
    /// budgets, which are in use.
    pub fn apply(&self, shares: &[CallerShare]) {
        for entry in &self.entries {
            if let Some(limit) = &entry.limit {
                entry.budget.set_limit(limit);
            }
            entry.budget.share_among(shares);
        }
    }
}
