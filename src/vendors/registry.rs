//! The kinds of vendor there are. A new one is a line here and a folder beside
//! this file.

use super::{Account, Vendor, capabilities::Capabilities, corporation, documented::Documented, tolt};

/// A kind of vendor, as configuration names it.
pub struct VendorKind {
    /// Its name in `vendor = "…"` and in answers.
    pub name: &'static str,
    /// The configuration key that holds the account's id.
    pub account_key: &'static str,
    /// Where its API is, unless configured.
    pub base_url: &'static str,
    /// How many requests it takes in a second, unless configured.
    pub requests_per_second: u32,
    /// What it can be asked.
    pub capabilities: &'static Capabilities,
    /// What it documents of its answers.
    pub documented: &'static Documented,
    /// Makes the adapter for an account.
    pub adapter: fn(Account) -> Box<dyn Vendor>,
}

/// Every kind of vendor.
pub static KINDS: &[VendorKind] = &[tolt::KIND, corporation::KIND];

/// The kind of a name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static VendorKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

impl PartialEq for VendorKind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for VendorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kind").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{parameter::Parameter, query::Resource},
        vendors::capabilities::Support,
    };

    /// The planner leaves to the gateway what a normalized record shows.
    #[test]
    fn no_table_leaves_to_the_gateway_what_it_cannot_apply() {
        let customers = [
            Parameter::Order,
            Parameter::CreatedGte,
            Parameter::CreatedLte,
            Parameter::Name,
            Parameter::Search,
            Parameter::Email,
            Parameter::ExternalId,
        ];
        let transactions = [Parameter::Order, Parameter::CreatedGte, Parameter::CreatedLte];
        for kind in KINDS {
            for (resource, able) in [(Resource::Customers, &customers[..]), (Resource::Transactions, &transactions)] {
                let Some(list) = kind.capabilities.list(resource) else { continue };
                for (parameter, support) in list.parameters {
                    let left = matches!(support, Support::Gateway | Support::NativeChecked(_));
                    assert!(!left || able.contains(parameter), "{}: {parameter}", kind.name);
                }
            }
        }
    }
}
