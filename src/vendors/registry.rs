//! Registry of the supported vendors. A new vendor is a line in this file and a
//! folder beside it.

use super::{corporation, kind::VendorKind, tolt};

/// All supported kinds of vendor.
pub static KINDS: &[VendorKind] = &[tolt::KIND, corporation::KIND];

/// Returns the kind with a name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static VendorKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{parameter::Parameter, query::Resource},
        vendors::capabilities::Support,
    };

    /// The gateway can only apply filters on fields of the normalized records.
    #[test]
    fn gateway_filters_use_record_fields() {
        let customers = [
            Parameter::Order,
            Parameter::CreatedGte,
            Parameter::CreatedLte,
            Parameter::UpdatedGte,
            Parameter::UpdatedLte,
            Parameter::Name,
            Parameter::Search,
            Parameter::Email,
            Parameter::ExternalId,
        ];
        let transactions = [
            Parameter::Order,
            Parameter::CreatedGte,
            Parameter::CreatedLte,
            Parameter::UpdatedGte,
            Parameter::UpdatedLte,
        ];
        for kind in KINDS {
            for (resource, able) in [(Resource::Customers, &customers[..]), (Resource::Transactions, &transactions)] {
                let Some(list) = kind.capabilities.list(resource) else { continue };
                for (parameter, support) in list.parameters {
                    let by_gateway =
                        matches!(support, Support::Gateway | Support::Prefilter(_) | Support::NativeChecked(_));
                    assert!(!by_gateway || able.contains(parameter), "{}: {parameter}", kind.name);
                }
            }
        }
    }

    /// A prefilter is a part of an email address.
    #[test]
    fn prefilters_are_parts_of_email_addresses() {
        let able = [Parameter::Search, Parameter::Email];
        for list in KINDS.iter().map(|kind| &kind.capabilities.customers) {
            let is_prefilter = |support: &Support| matches!(support, Support::Prefilter(_));
            let prefilters = list.parameters.iter().filter(|(_, support)| is_prefilter(support));
            assert!(prefilters.map(|(parameter, _)| parameter).all(|parameter| able.contains(parameter)));
        }
    }
}
