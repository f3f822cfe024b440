//! The parameters as the document shows them. They are read in the module
//! above, and a test holds the two to the same names.

use serde::Serialize;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

use crate::{
    api::parameters::{CUSTOMER_EXPANSIONS, TRANSACTION_EXPANSIONS},
    domain::query::{Expansion, Order},
};

/// What `include` takes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the document's name for the values of `include`")]
pub(crate) enum Include {
    /// The vendor's own object, untouched.
    Raw,
}

/// What `expand` takes for customers.
pub(crate) struct CustomerExpansion;

/// What `expand` takes for transactions.
pub(crate) struct TransactionExpansion;

impl PartialSchema for CustomerExpansion {
    fn schema() -> RefOr<Schema> {
        one_of(CUSTOMER_EXPANSIONS, "What `expand` takes for customers.")
    }
}

impl ToSchema for CustomerExpansion {}

impl PartialSchema for TransactionExpansion {
    fn schema() -> RefOr<Schema> {
        one_of(TRANSACTION_EXPANSIONS, "What `expand` takes for transactions.")
    }
}

impl ToSchema for TransactionExpansion {}

/// The names of some expansions: the lists that queries are read by.
fn one_of(expansions: &[Expansion], description: &str) -> RefOr<Schema> {
    let names = expansions.iter().map(|expansion| expansion.name());
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(names))
        .build()
        .into()
}

/// What `partial` takes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the document's name for the values of `partial`")]
pub(crate) enum Partial {
    /// A connection in trouble is left out of the page.
    Allow,
    /// A connection in trouble fails the whole answer.
    Deny,
}

/// The parameter that chooses connections, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the parameters are read by `Query`, which refuses what is not listed")]
pub(crate) struct ConnectionParameters {
    /// The connections to ask; all that you may use, if none is named. Their
    /// rows come one connection after the other, or merged where `order` is
    /// given.
    #[param(example = json!(["affiliates"]))]
    connection: Option<Vec<String>>,
}

/// The parameters that every list takes, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the parameters are read by `Query`, which refuses what is not listed")]
pub(crate) struct PageParameters {
    /// How many rows at most. A page may hold fewer, or none, and still lead on.
    #[param(minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: Option<u32>,
    /// `next_cursor` or `prev_cursor` of an earlier answer to the same question,
    /// exactly as it came. `limit`, `expand` and `include` may differ from page
    /// to page; connections, filters and order may not.
    cursor: Option<String>,
    /// How many vendor calls the answer may cost, if fewer than the gateway
    /// allows (20, unless configured). A filter that the gateway applies itself
    /// may find little within them: the source then says `partial`, and
    /// `next_cursor` goes on.
    #[param(minimum = 1, example = 5)]
    max_calls: Option<u32>,
    /// `allow` answers with what the other connections have where one is in
    /// trouble: that one says `failed`, and the cursor keeps its place. Its rows
    /// come when it is back, whatever has come meanwhile. `deny`, as if it were
    /// left out, fails the whole answer.
    #[param(inline = false, example = "allow")]
    partial: Option<Partial>,
    /// The order by `created_at`, and by `id` among rows of one instant. Without
    /// it, each vendor keeps its own. Where a vendor keeps none, the gateway
    /// makes it of all rows, as far as the call budget reaches
    /// (`order_too_expensive`).
    #[param(inline = false, example = "desc")]
    order: Option<Order>,
    /// Only rows created at or after this RFC 3339 date-time. A date such as
    /// `2025-01-15` is taken too, and begins its day in UTC.
    #[param(format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    created_gte: Option<String>,
    /// Only rows created at or before this RFC 3339 date-time. A date such as
    /// `2025-01-31` is taken too, and includes its whole day in UTC.
    #[param(format = DateTime, example = "2025-01-31T23:59:59.999Z")]
    created_lte: Option<String>,
    /// Only customers referred by this partner, or their transactions.
    #[param(example = "part_s7mbzRGn46BhVgNFHD6fDgXW")]
    partner_id: Option<String>,
}

/// The parameters of `GET /customers` besides, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the parameters are read by `Query`, which refuses what is not listed")]
pub(crate) struct CustomerParameters {
    /// Only customers of this vendor's status.
    #[param(example = "active")]
    status: Option<String>,
    /// Only customers of exactly this name.
    #[param(example = "Acme Corporation")]
    name: Option<String>,
    /// Only customers with this in their name or e-mail address, in any case;
    /// where the vendor searches itself, it matches what the vendor matches.
    #[param(example = "acme")]
    search: Option<String>,
    /// Only customers of this e-mail address, in any case.
    #[param(example = "customer@example.com")]
    email: Option<String>,
    /// Only the customer of exactly this id of your own.
    #[param(example = "jim_halpert_789")]
    external_id: Option<String>,
    /// Only customers from any of these platforms.
    #[param(example = json!(["stripe"]))]
    source_platform: Option<Vec<String>>,
    /// Only customers of any of these ids on their platform.
    #[param(example = json!(["cus_9s6XKzkNRiz8i3"]))]
    source_platform_id: Option<Vec<String>>,
    /// Only customers with any of these types of certificate.
    #[param(example = json!(["SINGLE_STATE"]))]
    certificate_type: Option<Vec<String>>,
    /// Only customers exempt in any of these jurisdictions.
    #[param(example = json!(["US_CA"]))]
    exemption_jurisdiction: Option<Vec<String>>,
    /// Only customers with an exemption of this status.
    #[param(example = "ACTIVE")]
    exemption_status: Option<String>,
    /// Only customers with a certificate of this expiration status.
    #[param(example = "EXPIRED")]
    expiration_status: Option<String>,
    /// Only customers that have an exemption, or that have none.
    #[param(example = true)]
    has_exemption: Option<bool>,
}

/// The parameters that shape a customer, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the parameters are read by `Query`, which refuses what is not listed")]
pub(crate) struct CustomerShapeParameters {
    /// Related objects to include: `partner`, `program`, `stats` (of a single
    /// customer only), `shipping_address`, `exemption`.
    #[param(inline = false, example = json!(["partner"]))]
    expand: Option<Vec<CustomerExpansion>>,
    /// `raw` adds the vendor's own object, untouched.
    #[param(inline = false, example = json!(["raw"]))]
    include: Option<Vec<Include>>,
}

/// The parameters that shape a transaction, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the parameters are read by `Query`, which refuses what is not listed")]
pub(crate) struct TransactionShapeParameters {
    /// Related objects to include: `customer`, `partner`, `program`.
    #[param(inline = false, example = json!(["customer"]))]
    expand: Option<Vec<TransactionExpansion>>,
    /// `raw` adds the vendor's own object, untouched.
    #[param(inline = false, example = json!(["raw"]))]
    include: Option<Vec<Include>>,
}
