//! Cache policies of a connection.

use crate::{cache::Policy, domain::query::Resource, vendors::Call};

/// Cache policy of each kind of response of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policies {
    /// Pages of customers.
    pub customers: Policy,
    /// Single customers.
    pub customer: Policy,
    /// Pages of transactions.
    pub transactions: Policy,
}

impl Policies {
    /// Returns the policy for the response to a call.
    pub(super) fn for_call(&self, call: &Call) -> Policy {
        match call {
            Call::Retrieve(_) => self.customer,
            Call::List(plan, _) => self.for_list(plan.resource),
        }
    }

    /// Returns the policy for pages of a list.
    pub(super) fn for_list(&self, resource: Resource) -> Policy {
        match resource {
            Resource::Customers => self.customers,
            Resource::Transactions => self.transactions,
        }
    }
}
