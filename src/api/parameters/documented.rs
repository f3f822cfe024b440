//! Parameters in the OpenAPI document. A test compares their names with the
//! names that `QueryString` accepts.

use serde::Serialize;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

use crate::domain::query::{Expansion, Order};

use super::tables::{CUSTOMER_EXPANSIONS, TRANSACTION_EXPANSIONS};

/// The values of `include`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "schema of the OpenAPI document")]
pub(crate) enum Include {
    /// The vendor's own object, unchanged.
    Raw,
}

/// The values of `marks`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Marks)]
#[expect(dead_code, reason = "schema of the OpenAPI document")]
pub(crate) enum DocumentedMarks {
    /// Include all checkpoints.
    All,
    /// Omit the checkpoints, except the last one of an NDJSON stream.
    None,
}

/// The values of `partial`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "schema of the OpenAPI document")]
pub(crate) enum Partial {
    /// Return a page without the rows of a failed connection.
    Allow,
    /// Fail the request if a connection fails.
    Deny,
}

/// The values of `expand` for customers.
pub(crate) struct CustomerExpansion;

/// The values of `expand` for transactions.
pub(crate) struct TransactionExpansion;

/// The parameter that selects connections.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `QueryString` reads the parameters")]
pub(crate) struct ConnectionParameters {
    /// The connections to list. Defaults to all connections that you may use.
    /// The connections are listed one by one, or merged if `order` is set. With
    /// `email`, `external_id` or `name` and without `order`, all connections are
    /// searched at once, and the rows of each page are grouped by connection.
    #[param(example = json!(["affiliates"]))]
    connection: Option<Vec<String>>,
}

/// The parameters of a page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `QueryString` reads the parameters")]
pub(crate) struct PageParameters {
    /// The maximum number of rows on the page. A page may contain fewer rows, or
    /// none, and still have a `next_cursor`. With 0, the page has no rows and no
    /// cursors, and `total` is the number of rows where each vendor counts them.
    /// A count takes one vendor call for each connection. A list of customers by
    /// `id` requires at least 1.
    #[param(minimum = 0, maximum = 100, default = 20, example = 20)]
    limit: Option<u32>,
    /// The `next_cursor` or `prev_cursor` of a previous page, unchanged. `limit`,
    /// `expand`, `include` and `fields` may change from page to page. The
    /// connections, the filters and the order may not.
    cursor: Option<String>,
    /// The maximum number of vendor calls for the request, up to the gateway's
    /// own limit (20 by default). If a filter that the gateway applies exhausts
    /// the limit, the source is `partial`, and `next_cursor` continues the list.
    /// Without `max_calls`, the calls to sort rows do not count.
    #[param(minimum = 1, example = 5)]
    max_calls: Option<u32>,
    /// The treatment of failed connections. `allow`: the page contains the rows
    /// of the other connections, and the source is `failed`. The cursor preserves
    /// the position, and the rows follow once the connection recovers.
    /// `Retry-After` is the time to wait before the next page. If no other
    /// connection has rows, the request fails. `deny`, the default: the whole
    /// request fails.
    #[param(inline = false, example = "allow")]
    partial: Option<Partial>,
    /// The order by `created_at`, then by `id`. Defaults to the order of each
    /// vendor. If the vendor cannot sort, the gateway fetches all rows and sorts
    /// them, or returns `order_too_expensive` if there are too many. Where the
    /// gateway sorts or merges, a row without `created_at` counts as the oldest.
    #[param(inline = false, example = "desc")]
    order: Option<Order>,
    /// Only return rows created at or after this RFC 3339 date-time. A date such
    /// as `2025-01-15` means the start of the day in UTC.
    #[param(format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    created_gte: Option<String>,
    /// Only return rows created at or before this RFC 3339 date-time. A date such
    /// as `2025-01-31` means the end of the day in UTC.
    #[param(format = DateTime, example = "2025-01-31T23:59:59.999Z")]
    created_lte: Option<String>,
    /// Only return rows updated at or after this RFC 3339 date-time or date. The
    /// gateway applies the filter to each of the vendor's pages.
    #[param(format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    updated_gte: Option<String>,
    /// Only return rows updated at or before this RFC 3339 date-time or date.
    #[param(format = DateTime, example = "2025-01-31T23:59:59.999Z")]
    updated_lte: Option<String>,
    /// Only return customers that one of these partners referred, or their
    /// transactions. Each value takes a vendor request of its own. The rows of several
    /// values are merged, newest first unless `order` is given.
    #[param(example = json!(["part_s7mbzRGn46BhVgNFHD6fDgXW"]))]
    partner_id: Option<Vec<String>>,
}

/// The parameter of a batch.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `QueryString` reads the parameters")]
pub(crate) struct BatchParameters {
    /// Only return the customers with these ids, `<connection>.<vendor's id>`, in
    /// this order: up to 100 different ids of any of your connections.
    /// `sources[].not_found` lists the ids that the vendor does not have. If some
    /// ids have no answer yet, `next_cursor` continues with these ids. `id` combines
    /// with `limit`, `expand`, `include`, `fields`, `max_calls`, `partial` and
    /// `cursor` only. `limit` counts ids, and defaults to all ids.
    #[param(max_items = 100, example = json!(["affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW", "tax.cust_8f14e45f"]))]
    id: Option<Vec<String>>,
}

/// The parameters of an export.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `QueryString` reads the parameters")]
pub(crate) struct ExportParameters {
    /// The checkpoints of an export; rejected for a page. `all`, the default: a
    /// checkpoint after each page and at the end. `none`: NDJSON contains only the
    /// last checkpoint. CSV contains no checkpoint columns, and a failed export
    /// ends with an aborted connection.
    #[param(inline = false, example = "none")]
    marks: Option<DocumentedMarks>,
}

/// The filters of `GET /customers`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `QueryString` reads the parameters")]
pub(crate) struct CustomerParameters {
    /// Only return customers with one of these vendor statuses. Each value takes a
    /// vendor request of its own. The rows of several values are merged, newest first
    /// unless `order` is given.
    #[param(example = json!(["active"]))]
    status: Option<Vec<String>>,
    /// Only return customers with exactly this name.
    #[param(example = "Acme Corporation")]
    name: Option<String>,
    /// Only return customers whose name or email address contains this text,
    /// case-insensitively. Text with `@` is searched for in email addresses only,
    /// which is cheaper on vendors that can search them. If the vendor applies the
    /// parameter, the vendor's own search decides.
    #[param(example = "acme")]
    search: Option<String>,
    /// Only return customers with this email address, case-insensitively.
    #[param(example = "customer@example.com")]
    email: Option<String>,
    /// Only return the customer with exactly this `external_id`.
    #[param(example = "jim_halpert_789")]
    external_id: Option<String>,
    /// Only return customers from any of these platforms.
    #[param(example = json!(["stripe"]))]
    source_platform: Option<Vec<String>>,
    /// Only return customers with any of these ids on their platform.
    #[param(example = json!(["cus_9s6XKzkNRiz8i3"]))]
    source_platform_id: Option<Vec<String>>,
    /// Only return customers with a certificate of any of these types.
    #[param(example = json!(["SINGLE_STATE"]))]
    certificate_type: Option<Vec<String>>,
    /// Only return customers that are exempt in any of these jurisdictions.
    #[param(example = json!(["US_CA"]))]
    exemption_jurisdiction: Option<Vec<String>>,
    /// Only return customers with an exemption of this status.
    #[param(example = "ACTIVE")]
    exemption_status: Option<String>,
    /// Only return customers with a certificate of this expiration status.
    #[param(example = "EXPIRED")]
    expiration_status: Option<String>,
    /// Only return customers with an exemption (`true`) or without one (`false`).
    #[param(example = true)]
    has_exemption: Option<bool>,
}

/// The filters of `GET /transactions`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `QueryString` reads the parameters")]
pub(crate) struct TransactionParameters {
    /// Only return transactions of the customer with this id,
    /// `<connection>.<vendor's id>`.
    #[param(example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW")]
    customer_id: Option<String>,
}

/// The parameters that shape a customer.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `QueryString` reads the parameters")]
pub(crate) struct CustomerShapeParameters {
    /// The related objects to include: `partner`, `program`, `stats` (only for a
    /// single customer), `shipping_address` or `exemption`.
    #[param(inline = false, example = json!(["partner"]))]
    expand: Option<Vec<CustomerExpansion>>,
    /// `raw` includes the vendor's own object, unchanged.
    #[param(inline = false, example = json!(["raw"]))]
    include: Option<Vec<Include>>,
    /// The fields to return, such as `id,email,referral.partner_id`; all fields by
    /// default. `id` is always included. `tax` and `tax.*` select the whole
    /// object. A field of an expanded object requires its `expand`, and `raw`
    /// requires `include=raw`. The selection does not change the vendor requests.
    #[param(example = json!(["id", "email", "referral.partner_id"]))]
    fields: Option<Vec<String>>,
}

/// The parameters that shape a transaction.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `QueryString` reads the parameters")]
pub(crate) struct TransactionShapeParameters {
    /// The related objects to include: `customer`, `partner` or `program`.
    #[param(inline = false, example = json!(["customer"]))]
    expand: Option<Vec<TransactionExpansion>>,
    /// `raw` includes the vendor's own object, unchanged.
    #[param(inline = false, example = json!(["raw"]))]
    include: Option<Vec<Include>>,
    /// The fields to return, such as `id,amount,referral.partner_id`; all fields by
    /// default. `id` is always included. `product` and `product.*` select the whole
    /// object. A field of an expanded object requires its `expand`, and `raw`
    /// requires `include=raw`. The selection does not change the vendor requests.
    #[param(example = json!(["id", "amount", "referral.partner_id"]))]
    fields: Option<Vec<String>>,
}

impl PartialSchema for CustomerExpansion {
    fn schema() -> RefOr<Schema> {
        expansion_names(CUSTOMER_EXPANSIONS, "The values of `expand` for customers.")
    }
}

impl ToSchema for CustomerExpansion {}

impl PartialSchema for TransactionExpansion {
    fn schema() -> RefOr<Schema> {
        expansion_names(TRANSACTION_EXPANSIONS, "The values of `expand` for transactions.")
    }
}

impl ToSchema for TransactionExpansion {}

fn expansion_names(expansions: &[Expansion], description: &str) -> RefOr<Schema> {
    let names = expansions.iter().map(|expansion| expansion.name());
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(names))
        .build()
        .into()
}
