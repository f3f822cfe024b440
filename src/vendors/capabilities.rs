//! Capability tables: the parameters and expansions that a vendor supports. The
//! planner, `GET /connections/{name}` and the documentation read them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{
    parameter::Parameter,
    query::{Expansion, Order, Resource},
};

/// Capabilities of a kind of vendor.
#[derive(Debug)]
pub struct Capabilities {
    /// The list of customers.
    pub customers: ListCapabilities,
    /// The list of transactions, if the vendor has one.
    pub transactions: Option<ListCapabilities>,
    /// The expansions of a single customer, with the vendor's names.
    pub retrieve_expand: &'static [(Expansion, &'static str)],
}

/// Capabilities of one list.
#[derive(Debug)]
pub struct ListCapabilities {
    /// The support of each parameter. A parameter without an entry is not
    /// supported.
    pub parameters: &'static [(Parameter, Support)],
    /// The expansions of each row, with the vendor's names.
    pub expand: &'static [(Expansion, &'static str)],
    /// The order that the vendor promises if the request names none.
    pub default_order: Option<Order>,
}

/// Support of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Applied by the vendor, as its own parameter of this name.
    Native(&'static str),
    /// Applied by the vendor, as a comma-separated list.
    NativeList(&'static str),
    /// Applied by the vendor and checked by the gateway.
    NativeChecked(&'static str),
    /// Applied by the gateway to the rows that the vendor's parameter of this
    /// name leaves. The parameter matches parts of email addresses. It may leave
    /// more rows than match, and the vendor may ignore or reject it.
    Prefilter(&'static str),
    /// Applied by the gateway to the vendor's pages.
    Gateway,
}

/// Support of a parameter, as callers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// Applied by the vendor.
    Native,
    /// Applied by the gateway.
    Gateway,
    /// Not supported.
    Unsupported,
}

impl Capabilities {
    /// Returns the list of a resource, if the vendor has one.
    #[must_use]
    pub fn list(&self, resource: Resource) -> Option<&ListCapabilities> {
        match resource {
            Resource::Customers => Some(&self.customers),
            Resource::Transactions => self.transactions.as_ref(),
        }
    }
}

impl ListCapabilities {
    /// Returns the support of a parameter, if it is supported.
    #[must_use]
    pub fn support(&self, parameter: Parameter) -> Option<Support> {
        self.parameters.iter().find(|(known, _)| *known == parameter).map(|(_, support)| *support)
    }

    /// Returns the support of each of some parameters, by name.
    #[must_use]
    pub fn applied(&self, parameters: &[Parameter]) -> BTreeMap<&'static str, Applied> {
        parameters
            .iter()
            .map(|&parameter| {
                let applied = match self.support(parameter) {
                    Some(Support::Native(_) | Support::NativeList(_) | Support::NativeChecked(_)) => Applied::Native,
                    Some(Support::Prefilter(_) | Support::Gateway) => Applied::Gateway,
                    None => Applied::Unsupported,
                };
                (parameter.name(), applied)
            })
            .collect()
    }

    /// Returns the names of the parameters that the vendor applies.
    #[must_use]
    pub fn native(&self) -> Vec<&'static str> {
        let is_native = |support: &Support| !matches!(support, Support::Prefilter(_) | Support::Gateway);
        let native = self.parameters.iter().filter(|(_, support)| is_native(support));
        native.map(|(parameter, _)| parameter.name()).collect()
    }

    /// Returns the names of the supported parameters.
    #[must_use]
    pub fn supported(&self) -> Vec<&'static str> {
        self.parameters.iter().map(|(parameter, _)| parameter.name()).collect()
    }
}

/// Returns the gateway's names of some expansions.
#[must_use]
pub fn expansion_names(expansions: &[(Expansion, &'static str)]) -> Vec<&'static str> {
    expansions.iter().map(|(expansion, _)| expansion.name()).collect()
}
