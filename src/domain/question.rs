//! What a caller asks, in the gateway's own terms.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{parameter::Parameter, timestamp::CreatedRange};

/// A list that a caller asks for, of one kind of row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// The kind of row.
    pub resource: Resource,
    /// Which rows.
    pub filter: Filter,
    /// In which order; `None` leaves it to the vendor.
    pub order: Option<Order>,
    /// How much of each row.
    pub shape: Shape,
}

/// One row that a caller asks for by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retrieval {
    /// The customer's id at the vendor.
    pub vendor_id: String,
    /// How much of it.
    pub shape: Shape,
}

/// The kind of row in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Customers.
    Customers,
    /// Transactions.
    Transactions,
}

/// The direction of `created_at` in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

impl Order {
    /// The other direction.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }

    /// The name in a query, `asc` or `desc`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

/// Which rows a caller wants; every member that is set must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The vendor's status, exactly.
    pub status: Option<String>,
    /// The referring partner's id.
    pub partner_id: Option<String>,
    /// The customer's id at the vendor, for transactions.
    pub customer_id: Option<String>,
    /// The range of `created_at`.
    pub created: CreatedRange,
    /// The name, exactly.
    pub name: Option<String>,
    /// A part of the name or e-mail address, in any case.
    pub search: Option<String>,
    /// The e-mail address, in any case.
    pub email: Option<String>,
    /// Your own id of the customer, exactly.
    pub external_id: Option<String>,
    /// Any of these platforms.
    pub source_platform: Vec<String>,
    /// Any of these ids on a platform.
    pub source_platform_id: Vec<String>,
    /// Any of these types of certificate.
    pub certificate_type: Vec<String>,
    /// Any of these jurisdictions.
    pub exemption_jurisdiction: Vec<String>,
    /// The status of an exemption.
    pub exemption_status: Option<String>,
    /// Whether a certificate has expired.
    pub expiration_status: Option<String>,
    /// Whether there is any exemption.
    pub has_exemption: Option<bool>,
}

impl Filter {
    /// The parameters that are set, with their values as they stood in the
    /// query: the one list from which the validator, the adapters and the
    /// fingerprint of a question read.
    #[must_use]
    pub fn set(&self) -> Vec<(Parameter, Vec<String>)> {
        let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
        let instant = |value: Option<jiff::Timestamp>| value.iter().map(ToString::to_string).collect();
        let all = [
            (Parameter::Status, one(&self.status)),
            (Parameter::PartnerId, one(&self.partner_id)),
            (Parameter::CustomerId, one(&self.customer_id)),
            (Parameter::CreatedGte, instant(self.created.gte)),
            (Parameter::CreatedLte, instant(self.created.lte)),
            (Parameter::Name, one(&self.name)),
            (Parameter::Search, one(&self.search)),
            (Parameter::Email, one(&self.email)),
            (Parameter::ExternalId, one(&self.external_id)),
            (Parameter::SourcePlatform, self.source_platform.clone()),
            (Parameter::SourcePlatformId, self.source_platform_id.clone()),
            (Parameter::CertificateType, self.certificate_type.clone()),
            (Parameter::ExemptionJurisdiction, self.exemption_jurisdiction.clone()),
            (Parameter::ExemptionStatus, one(&self.exemption_status)),
            (Parameter::ExpirationStatus, one(&self.expiration_status)),
            (Parameter::HasExemption, self.has_exemption.iter().map(ToString::to_string).collect()),
        ];
        all.into_iter().filter(|(_, values)| !values.is_empty()).collect()
    }
}

/// How much of each row a caller wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// Related objects, each once, in the order of [`Expansion`].
    pub expand: Vec<Expansion>,
    /// Whether the vendor's own object comes along.
    pub raw: bool,
}

impl Shape {
    /// Whether a related object was asked for.
    #[must_use]
    pub fn expands(&self, expansion: Expansion) -> bool {
        self.expand.contains(&expansion)
    }
}

/// A related object that a row may include.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expansion {
    /// The referring partner.
    Partner,
    /// The affiliate program.
    Program,
    /// A customer's figures.
    Stats,
    /// The address goods go to.
    ShippingAddress,
    /// A summary of the exemption certificates.
    Exemption,
    /// The customer of a transaction.
    Customer,
}

impl Expansion {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Partner, Self::Program, Self::Stats, Self::ShippingAddress, Self::Exemption, Self::Customer];

    /// The name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Program => "program",
            Self::Stats => "stats",
            Self::ShippingAddress => "shipping_address",
            Self::Exemption => "exemption",
            Self::Customer => "customer",
        }
    }
}
