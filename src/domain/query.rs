//! Queries in the gateway's own terms.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::filter::Filter;

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
