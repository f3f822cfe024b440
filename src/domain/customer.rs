//! The normalized customer, as served.
//!
//! A scalar without a value is null; an object without a value is absent. A
//! [`Projection`] omits members from the serialized form. Text
//! borrows from the vendor's response: a customer exists only until it is
//! serialized into a page.
//!
//! [`Projection`]: super::projection::Projection

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{id::GatewayId, referral::Referral, timestamp::Timestamp};

/// Text from the vendor, or null.
pub type Text<'a> = Option<Cow<'a, str>>;

/// A customer, in the same form for every vendor.
#[derive(Debug, Serialize, ToSchema)]
pub struct Customer<'a> {
    /// The id at the gateway, `<connection>.<vendor's id>`.
    #[schema(value_type = String, example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW")]
    pub id: GatewayId<'a>,
    /// The connection and vendor that hold the customer.
    pub source: Source<'a>,
    /// Your own id of the customer, as stored at the vendor.
    #[schema(value_type = Option<String>, example = "jim_halpert_789")]
    pub external_id: Text<'a>,
    /// The name of the person or company.
    #[schema(value_type = Option<String>, example = "Jim Halpert")]
    pub name: Text<'a>,
    /// The email address. Vendors do not guarantee its format.
    #[schema(value_type = Option<String>, example = "customer@example.com")]
    pub email: Text<'a>,
    /// The vendor's status. An open list; known values are `lead`, `trialing`,
    /// `active`, `canceled` and `suspended`.
    #[schema(value_type = Option<String>, example = "active", extensions(("x-extensible-enum" = json!(["lead", "trialing", "active", "canceled", "suspended"]))))]
    pub status: Text<'a>,
    /// The creation time of the customer.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub created_at: Option<Timestamp>,
    /// The time of the last change to the customer, if the vendor gives one.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub updated_at: Option<Timestamp>,
    /// The referral. Present only for customers of an affiliate vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub referral: Option<Referral<'a>>,
    /// The tax record. Present only for customers of a corporation vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tax: Option<Tax<'a>>,
    /// The shipping address, with `expand=shipping_address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub shipping_address: Option<Address<'a>>,
    /// The vendor's own object, with `include=raw`. Values that are not valid
    /// JSON are null or contain U+FFFD; the rest is unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub raw: Option<Cow<'a, RawValue>>,
}

/// The connection and vendor that hold a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct Source<'a> {
    /// The name of the connection.
    #[schema(example = "affiliates")]
    pub connection: &'a str,
    /// The kind of vendor.
    #[schema(example = "tolt", extensions(("x-extensible-enum" = json!(["tolt", "corporation"]))))]
    pub vendor: &'a str,
    /// The row's id at the vendor.
    #[schema(example = "cust_dK9bzRGn46BhVgNFHD6fDgXW")]
    pub id: &'a str,
}

/// The tax record of a customer. Present only for customers of a corporation
/// vendor.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tax<'a> {
    /// The id of the corporation that the customer belongs to.
    #[schema(value_type = Option<String>, example = "corp_123")]
    pub corporation_id: Text<'a>,
    /// The business identification number of the customer.
    #[schema(value_type = Option<String>, example = "12-3456789")]
    pub business_identification_number: Text<'a>,
    /// The platform of origin of the customer. An open list.
    #[schema(value_type = Option<String>, example = "stripe")]
    pub source_platform: Text<'a>,
    /// The id of the customer on that platform.
    #[schema(value_type = Option<String>, example = "cus_9s6XKzkNRiz8i3")]
    pub source_platform_id: Text<'a>,
    /// The customer's exemptions, with `expand=exemption`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub exemption: Option<Exemption<'a>>,
}

/// A summary of a customer's exemption certificates. Included with
/// `expand=exemption`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exemption<'a> {
    /// The number of certificates.
    #[schema(value_type = Option<i64>, example = 2)]
    pub total_certificates: Option<i64>,
    /// The types of the certificates. An open list; known values are
    /// `SINGLE_STATE`, `MULTI_STATE` and `BLANKET`.
    #[schema(value_type = Vec<String>, example = json!(["SINGLE_STATE"]))]
    pub certificate_types: Vec<Cow<'a, str>>,
    /// The number of states in which the customer is exempt.
    #[schema(value_type = Option<i64>, example = 1)]
    pub total_exempted_states: Option<i64>,
    /// The states in which the customer is exempt.
    #[schema(value_type = Vec<String>, example = json!(["CA"]))]
    pub exempted_states: Vec<Cow<'a, str>>,
    /// The number of active exemptions.
    #[schema(value_type = Option<i64>, example = 1)]
    pub active_exemptions_count: Option<i64>,
    /// The number of inactive exemptions.
    #[schema(value_type = Option<i64>, example = 1)]
    pub inactive_exemptions_count: Option<i64>,
    /// The number of expired exemptions.
    #[schema(value_type = Option<i64>, example = 0)]
    pub expired_exemptions_count: Option<i64>,
    /// The number of exemptions that have not expired.
    #[schema(value_type = Option<i64>, example = 2)]
    pub non_expired_exemptions_count: Option<i64>,
}

/// A shipping address, with the same field names for every vendor. Included with
/// `expand=shipping_address`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Address<'a> {
    /// The first line.
    #[schema(value_type = Option<String>, example = "123 Main St")]
    pub line1: Text<'a>,
    /// The second line.
    #[schema(value_type = Option<String>, example = "Suite 4")]
    pub line2: Text<'a>,
    /// The third line.
    #[schema(value_type = Option<String>, example = "Attn: Accounts Payable")]
    pub line3: Text<'a>,
    /// The city.
    #[schema(value_type = Option<String>, example = "San Francisco")]
    pub city: Text<'a>,
    /// The state or province.
    #[schema(value_type = Option<String>, example = "CA")]
    pub state: Text<'a>,
    /// The postal code.
    #[schema(value_type = Option<String>, example = "94105")]
    pub postal_code: Text<'a>,
    /// The country, usually as a two-letter ISO 3166 code.
    #[schema(value_type = Option<String>, example = "US")]
    pub country: Text<'a>,
}
