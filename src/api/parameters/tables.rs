//! Names of the parameters and expansions of each list.

use crate::domain::{parameter::Parameter, query::Expansion};

/// Expansions of a list of customers.
pub(super) const CUSTOMER_EXPANSIONS: &[Expansion] =
    &[Expansion::Partner, Expansion::Program, Expansion::Stats, Expansion::ShippingAddress, Expansion::Exemption];

/// Expansions of a list of transactions.
pub(super) const TRANSACTION_EXPANSIONS: &[Expansion] = &[Expansion::Customer, Expansion::Partner, Expansion::Program];

/// Parameters of `GET /customers` whose support differs between vendors.
pub(crate) const CUSTOMER_FILTERS: &[Parameter] = &[
    Parameter::Order,
    Parameter::Status,
    Parameter::PartnerId,
    Parameter::CreatedGte,
    Parameter::CreatedLte,
    Parameter::UpdatedGte,
    Parameter::UpdatedLte,
    Parameter::Name,
    Parameter::Search,
    Parameter::Email,
    Parameter::ExternalId,
    Parameter::SourcePlatform,
    Parameter::SourcePlatformId,
    Parameter::CertificateType,
    Parameter::ExemptionJurisdiction,
    Parameter::ExemptionStatus,
    Parameter::ExpirationStatus,
    Parameter::HasExemption,
];

/// Parameters of `GET /transactions` whose support differs between vendors.
pub(crate) const TRANSACTION_FILTERS: &[Parameter] = &[
    Parameter::Order,
    Parameter::PartnerId,
    Parameter::CustomerId,
    Parameter::CreatedGte,
    Parameter::CreatedLte,
    Parameter::UpdatedGte,
    Parameter::UpdatedLte,
];

/// Parameter of a batch.
pub(super) const ID: &str = "id";

/// Parameters of a batch of customers.
pub(super) const BATCH_PARAMETERS: &[&str] =
    &[ID, "limit", "cursor", "max_calls", "partial", "expand", "include", "fields"];

/// Parameters of every list, whose support does not differ.
const COMMON: &[&str] = &["limit", "cursor", "max_calls", "partial", "expand", "include", "fields", "marks"];

/// Returns the names of all parameters of a list over several connections.
pub(super) fn list_parameters(filters: &[Parameter]) -> Vec<&'static str> {
    let mut names = vec!["connection"];
    names.extend(single_connection_parameters(filters.iter().copied()));
    names
}

/// Returns the names of all parameters of a list of one connection.
pub(super) fn single_connection_parameters(filters: impl Iterator<Item = Parameter>) -> Vec<&'static str> {
    COMMON.iter().copied().chain(filters.map(Parameter::name)).collect()
}
