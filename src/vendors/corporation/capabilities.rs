//! Capability table of the corporation vendor: the query parameters of its page
//! "List customers".

use crate::{
    domain::{parameter::Parameter, query::Expansion},
    vendors::capabilities::{
        Capabilities, ListCapabilities,
        Support::{Gateway, Native, NativeList},
    },
};

pub(super) static CAPABILITIES: Capabilities = Capabilities {
    customers: ListCapabilities {
        parameters: &[
            (Parameter::Order, Gateway),
            (Parameter::CreatedGte, Gateway),
            (Parameter::CreatedLte, Gateway),
            (Parameter::Name, Native("name")),
            (Parameter::Search, Native("search_term")),
            (Parameter::Email, Gateway),
            (Parameter::ExternalId, Gateway),
            (Parameter::SourcePlatform, NativeList("source_platforms")),
            (Parameter::SourcePlatformId, NativeList("source_platform_ids")),
            (Parameter::CertificateType, NativeList("certificate_types")),
            (Parameter::ExemptionJurisdiction, NativeList("exemption_jurisdiction")),
            (Parameter::ExemptionStatus, Native("exemption_status")),
            (Parameter::ExpirationStatus, Native("expiration_status")),
            (Parameter::HasExemption, Native("has_exemption")),
        ],
        expand: EXPAND,
        default_order: None,
    },
    transactions: None,
    retrieve_expand: EXPAND,
};

const EXPAND: &[(Expansion, &str)] =
    &[(Expansion::ShippingAddress, "shipping_address"), (Expansion::Exemption, "exemption_metadata")];
