//! What a vendor can be asked: one table each, read by the planner, by
//! `GET /connections/{name}` and by the documentation.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{
    parameter::Parameter,
    query::{Expansion, Order, Resource},
};

/// Everything a kind of vendor can be asked.
#[derive(Debug)]
pub struct Capabilities {
    /// Lists of customers.
    pub customers: ListCapabilities,
    /// Lists of transactions, where the vendor has them.
    pub transactions: Option<ListCapabilities>,
    /// The expansions of a single customer, with the vendor's names.
    pub retrieve_expand: &'static [(Expansion, &'static str)],
}

/// What one of a vendor's lists can be asked.
#[derive(Debug)]
pub struct ListCapabilities {
    /// Who applies each parameter; what is not listed nobody does.
    pub parameters: &'static [(Parameter, Support)],
    /// The expansions of each row, with the vendor's names.
    pub expand: &'static [(Expansion, &'static str)],
    /// The order that the vendor keeps when none is asked for; `None` where it
    /// promises none.
    pub default_order: Option<Order>,
}

/// Who applies a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// The vendor, by its own parameter of this name.
    Native(&'static str),
    /// The vendor, by a parameter that takes a list separated by commas.
    NativeList(&'static str),
    /// The vendor, and the gateway checks its work.
    NativeChecked(&'static str),
    /// The gateway, over the vendor's pages.
    Gateway,
}

/// Who applies a parameter, as callers read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// The vendor.
    Native,
    /// The gateway.
    Gateway,
    /// Nobody.
    Unsupported,
}

impl Capabilities {
    /// The list of a kind of row, where the vendor has one.
    #[must_use]
    pub fn list(&self, resource: Resource) -> Option<&ListCapabilities> {
        match resource {
            Resource::Customers => Some(&self.customers),
            Resource::Transactions => self.transactions.as_ref(),
        }
    }
}

impl ListCapabilities {
    /// Who applies a parameter, if anybody does.
    #[must_use]
    pub fn support(&self, parameter: Parameter) -> Option<Support> {
        self.parameters.iter().find(|(known, _)| *known == parameter).map(|(_, support)| *support)
    }

    /// Who applies each of some parameters, as callers read it.
    #[must_use]
    pub fn applied(&self, parameters: &[Parameter]) -> BTreeMap<&'static str, Applied> {
        parameters
            .iter()
            .map(|&parameter| {
                let applied = match self.support(parameter) {
                    Some(Support::Native(_) | Support::NativeList(_) | Support::NativeChecked(_)) => Applied::Native,
                    Some(Support::Gateway) => Applied::Gateway,
                    None => Applied::Unsupported,
                };
                (parameter.name(), applied)
            })
            .collect()
    }

    /// The names of the parameters that the vendor applies.
    #[must_use]
    pub fn native(&self) -> Vec<&'static str> {
        let native = self.parameters.iter().filter(|(_, support)| *support != Support::Gateway);
        native.map(|(parameter, _)| parameter.name()).collect()
    }

    /// The names of the parameters that somebody applies.
    #[must_use]
    pub fn supported(&self) -> Vec<&'static str> {
        self.parameters.iter().map(|(parameter, _)| parameter.name()).collect()
    }
}

/// The callers' names of some expansions.
#[must_use]
pub fn expansion_names(expansions: &[(Expansion, &'static str)]) -> Vec<&'static str> {
    expansions.iter().map(|(expansion, _)| expansion.name()).collect()
}
