//! Queries: lists and retrievals, independent of vendors.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::filter::Filter;

/// Query of a list of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// The requested resource.
    pub resource: Resource,
    /// The filter.
    pub filter: Filter,
    /// The order. `None` leaves the order to the vendor.
    pub order: Option<Order>,
    /// The requested content of each row.
    pub shape: Shape,
}

impl ListQuery {
    /// Returns the number of [`alternatives`](Self::alternatives).
    #[must_use]
    pub fn alternative_count(&self) -> usize {
        let Filter { status, partner_id, .. } = &self.filter;
        status.len().max(1).saturating_mul(partner_id.len().max(1))
    }

    /// Returns one query for each combination of `status` and `partner_id`, because
    /// vendors take one value of each. A row is in one list, unless its value changes
    /// between two calls.
    #[must_use]
    pub fn alternatives(&self) -> Vec<Self> {
        if self.alternative_count() == 1 {
            return vec![self.clone()];
        }
        let statuses = one_by_one(&self.filter.status);
        let partners = one_by_one(&self.filter.partner_id);
        let combinations = statuses.iter().flat_map(|status| partners.iter().map(move |partner| (status, partner)));
        let query = |(status, partner_id): (&Vec<String>, &Vec<String>)| {
            let filter = Filter { status: status.clone(), partner_id: partner_id.clone(), ..self.filter.clone() };
            Self { filter, ..self.clone() }
        };
        combinations.map(query).collect()
    }
}

/// Returns lists of one value each, or an empty list if there is no value.
fn one_by_one(values: &[String]) -> Vec<Vec<String>> {
    if values.is_empty() { vec![Vec::new()] } else { values.iter().map(|value| vec![value.clone()]).collect() }
}

/// Query of one customer by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retrieval {
    /// The customer's id at the vendor.
    pub vendor_id: String,
    /// The requested content of the customer.
    pub shape: Shape,
}

/// Resource: the kind of row in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Customers.
    Customers,
    /// Transactions.
    Transactions,
}

impl Resource {
    /// All resources.
    pub const ALL: [Self; 2] = [Self::Customers, Self::Transactions];

    /// Returns the name in a configuration and in responses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Transactions => "transactions",
        }
    }
}

/// Order of a list by `created_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

impl Order {
    /// Returns the opposite order.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }

    /// Returns the name in a query, `asc` or `desc`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

/// Requested content of each row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape {
    /// The related objects, each once, in the order of [`Expansion`].
    pub expand: Vec<Expansion>,
    /// True if each row includes the vendor's own object.
    pub raw: bool,
}

impl Shape {
    /// Returns true if a related object was requested.
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
    /// The statistics of a customer.
    Stats,
    /// The shipping address.
    ShippingAddress,
    /// A summary of the exemption certificates.
    Exemption,
    /// The customer of a transaction.
    Customer,
}

impl Expansion {
    /// All expansions.
    pub const ALL: &'static [Self] =
        &[Self::Partner, Self::Program, Self::Stats, Self::ShippingAddress, Self::Exemption, Self::Customer];

    /// Returns the name in a query.
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
