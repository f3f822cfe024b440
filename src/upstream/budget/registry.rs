//! Budgets of all credentials, kept across reloads.

use std::sync::Arc;

use crate::{
    clock::SharedClock,
    upstream::{CallerShare, Credential},
};

use super::{Budget, RateLimit};

/// Budgets by credential and host.
#[derive(Debug, Default)]
pub struct BudgetRegistry {
    entries: Vec<BudgetEntry>,
    /// Entries of the previous configuration.
    previous: Vec<BudgetEntry>,
}

#[derive(Debug, Clone)]
struct BudgetEntry {
    credential: Credential,
    host: String,
    limit: RateLimit,
    budget: Budget,
}

impl BudgetRegistry {
    /// Returns an empty registry that reuses the budgets of this registry.
    #[must_use]
    pub fn reconfigured(&self) -> Self {
        Self { entries: Vec::new(), previous: self.entries.clone() }
    }

    /// Returns the budget of a credential at a host. A budget is created if the
    /// credential is new or its limit has changed. The limit of the first
    /// connection applies.
    pub fn get_or_create(
        &mut self,
        credential: &Credential,
        host: &str,
        limit: RateLimit,
        clock: &SharedClock,
    ) -> Budget {
        let matches = |entry: &&BudgetEntry| entry.host == host && entry.credential == *credential;
        if let Some(entry) = self.entries.iter().find(matches) {
            return entry.budget.clone();
        }
        let budget = match self.previous.iter().find(matches) {
            Some(previous) if previous.limit == limit => previous.budget.clone(),
            previous => {
                let budget = Budget::new(limit, Arc::clone(clock));
                // A vendor block applies to the credential, whatever the limit.
                if let Some(previous) = previous {
                    budget.inherit_block(&previous.budget);
                }
                budget
            }
        };
        let (credential, host) = (credential.clone(), host.to_owned());
        self.entries.push(BudgetEntry { credential, host, limit, budget: budget.clone() });
        budget
    }

    /// Sets the caller shares of all budgets.
    pub fn share_among(&self, shares: &[CallerShare]) {
        for entry in &self.entries {
            entry.budget.share_among(shares);
        }
    }
}
