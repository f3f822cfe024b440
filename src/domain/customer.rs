//! The normalized customer, as served.
//!
//! Scalars are null, never absent; objects are absent, never null
//! (OPENAPI.md, rule 9). Text borrows from the vendor's answer, since a
//! customer lives only from that answer to its bytes in the cache.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{id::GatewayId, timestamp::Timestamp};

/// Text of the vendor's, or null.
pub type Text<'a> = Option<Cow<'a, str>>;

/// A customer, whichever vendor holds it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Customer<'a> {
    /// The id at the gateway, `<connection>.<vendor's id>`: it routes itself.
    #[schema(value_type = String, example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW")]
    pub id: GatewayId<'a>,
    /// Where the customer is held.
    pub source: Source<'a>,
    /// Your own id of the customer, as the vendor was told it.
    #[schema(value_type = Option<String>, example = "jim_halpert_789")]
    pub external_id: Text<'a>,
    /// The name of the person or company.
    #[schema(value_type = Option<String>, example = "Jim Halpert")]
    pub name: Text<'a>,
    /// The e-mail address; vendors do not promise that it is one.
    #[schema(value_type = Option<String>, example = "customer@example.com")]
    pub email: Text<'a>,
    /// The vendor's status. An open list: `lead`, `trialing`, `active`,
    /// `canceled`, `suspended` are known, and others may come.
    #[schema(value_type = Option<String>, example = "active", extensions(("x-extensible-enum" = json!(["lead", "trialing", "active", "canceled", "suspended"]))))]
    pub status: Text<'a>,
    /// When the customer was created.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub created_at: Option<Timestamp>,
    /// When the customer was last changed, as far as the vendor says.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub updated_at: Option<Timestamp>,
    /// The referral; only customers of an affiliate vendor have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub referral: Option<Referral<'a>>,
    /// The tax record; only customers of a corporation vendor have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tax: Option<Tax<'a>>,
    /// The address goods go to, with `expand=shipping_address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub shipping_address: Option<Address<'a>>,
    /// The vendor's own object, untouched, with `include=raw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub raw: Option<&'a RawValue>,
}

/// Where a row is held.
#[derive(Debug, Serialize, ToSchema)]
pub struct Source<'a> {
    /// The connection's name.
    #[schema(example = "affiliates")]
    pub connection: &'a str,
    /// The kind of vendor.
    #[schema(example = "tolt", extensions(("x-extensible-enum" = json!(["tolt", "corporation"]))))]
    pub vendor: &'a str,
    /// The row's id at the vendor.
    #[schema(example = "cust_dK9bzRGn46BhVgNFHD6fDgXW")]
    pub id: &'a str,
}

/// Who referred the customer, and in which program. Only rows of an affiliate
/// vendor have it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Referral<'a> {
    /// The referring partner's id.
    #[schema(value_type = Option<String>, example = "part_s7mbzRGn46BhVgNFHD6fDgXW")]
    pub partner_id: Text<'a>,
    /// The program's id.
    #[schema(value_type = Option<String>, example = "prg_YRsbPDAKhWfdqJbFACheh")]
    pub program_id: Text<'a>,
    /// The organization's id.
    #[schema(value_type = Option<String>, example = "org_JE3mfYNL9ci7sFaJazAv2")]
    pub organization_id: Text<'a>,
    /// The partner, with `expand=partner`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub partner: Option<Partner<'a>>,
    /// The program, with `expand=program`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub program: Option<Program<'a>>,
    /// The customer's figures, with `expand=stats`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub stats: Option<Stats>,
}

/// A partner who refers customers; shown with `expand=partner`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Partner<'a> {
    /// The partner's id.
    #[schema(value_type = Option<String>, example = "part_s7mbzRGn46BhVgNFHD6fDgXW")]
    pub id: Text<'a>,
    /// The first name.
    #[schema(value_type = Option<String>, example = "Michael")]
    pub first_name: Text<'a>,
    /// The last name.
    #[schema(value_type = Option<String>, example = "Scott")]
    pub last_name: Text<'a>,
    /// The e-mail address.
    #[schema(value_type = Option<String>, example = "michael.scott@dundermifflin.com")]
    pub email: Text<'a>,
    /// The company's name.
    #[schema(value_type = Option<String>, example = "Dunder Mifflin")]
    pub company_name: Text<'a>,
    /// The vendor's status. An open list: `active`, `pending`, `suspended`,
    /// `rejected` are known, and others may come.
    #[schema(value_type = Option<String>, example = "active", extensions(("x-extensible-enum" = json!(["active", "pending", "suspended", "rejected"]))))]
    pub status: Text<'a>,
    /// When the partner was created.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-13T10:06:11.251Z")]
    pub created_at: Option<Timestamp>,
}

/// An affiliate program; shown with `expand=program`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Program<'a> {
    /// The program's id.
    #[schema(value_type = Option<String>, example = "prg_YRsbPDAKhWfdqJbFACheh")]
    pub id: Text<'a>,
    /// The vendor's status; an open list.
    #[schema(value_type = Option<String>, example = "active")]
    pub status: Text<'a>,
    /// The program's name.
    #[schema(value_type = Option<String>, example = "Tolt's Partnership Program")]
    pub name: Text<'a>,
    /// The product it sells.
    #[schema(value_type = Option<String>, example = "Tolt")]
    pub product_name: Text<'a>,
    /// Its subdomain at the vendor.
    #[schema(value_type = Option<String>, example = "affiliates")]
    pub subdomain: Text<'a>,
    /// The kind of program; an open list in which `public` is known.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>, example = "public")]
    pub kind: Text<'a>,
    /// The program's currency, three letters of ISO 4217.
    #[schema(value_type = Option<String>, example = "USD")]
    pub currency: Text<'a>,
    /// When the program was created.
    #[schema(value_type = Option<String>, format = DateTime, example = "2024-03-05T10:28:08.984Z")]
    pub created_at: Option<Timestamp>,
}

/// What a customer has brought in; shown with `expand=stats`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stats {
    /// Revenue in minor units of the program's currency. May exceed 2^53-1,
    /// where JavaScript numbers lose digits.
    #[schema(value_type = Option<i64>, example = 99900)]
    pub total_revenue: Option<i64>,
    /// Commission in minor units of the program's currency. May exceed
    /// 2^53-1, where JavaScript numbers lose digits.
    #[schema(value_type = Option<i64>, example = 19980)]
    pub total_commission: Option<i64>,
    /// The number of orders.
    #[schema(value_type = Option<i64>, example = 3)]
    pub total_orders: Option<i64>,
    /// When the last order was made.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-20T09:15:32.000Z")]
    pub last_order_at: Option<Timestamp>,
}

/// A customer's tax record. Only customers of a corporation vendor have it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tax<'a> {
    /// The corporation whose customer this is.
    #[schema(value_type = Option<String>, example = "corp_123")]
    pub corporation_id: Text<'a>,
    /// The customer's own business number.
    #[schema(value_type = Option<String>, example = "12-3456789")]
    pub business_identification_number: Text<'a>,
    /// The platform the customer came from; an open list.
    #[schema(value_type = Option<String>, example = "stripe")]
    pub source_platform: Text<'a>,
    /// The customer's id on that platform.
    #[schema(value_type = Option<String>, example = "cus_9s6XKzkNRiz8i3")]
    pub source_platform_id: Text<'a>,
    /// The customer's exemptions, with `expand=exemption`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub exemption: Option<Exemption<'a>>,
}

/// A summary of a customer's exemption certificates; shown with
/// `expand=exemption`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exemption<'a> {
    /// How many certificates there are.
    #[schema(value_type = Option<i64>, example = 2)]
    pub total_certificates: Option<i64>,
    /// The types among them. An open list: `SINGLE_STATE`, `MULTI_STATE`,
    /// `BLANKET` are known, and others may come.
    #[schema(value_type = Vec<String>, example = json!(["SINGLE_STATE"]))]
    pub certificate_types: Vec<Cow<'a, str>>,
    /// In how many states the customer is exempt.
    #[schema(value_type = Option<i64>, example = 1)]
    pub total_exempted_states: Option<i64>,
    /// These states.
    #[schema(value_type = Vec<String>, example = json!(["CA"]))]
    pub exempted_states: Vec<Cow<'a, str>>,
    /// How many exemptions are active.
    #[schema(value_type = Option<i64>, example = 1)]
    pub active_exemptions_count: Option<i64>,
    /// How many are not.
    #[schema(value_type = Option<i64>, example = 1)]
    pub inactive_exemptions_count: Option<i64>,
    /// How many have expired.
    #[schema(value_type = Option<i64>, example = 0)]
    pub expired_exemptions_count: Option<i64>,
    /// How many have not.
    #[schema(value_type = Option<i64>, example = 2)]
    pub non_expired_exemptions_count: Option<i64>,
}

/// The address goods go to, in one spelling whichever the vendor's was; shown
/// with `expand=shipping_address`.
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
    /// The country, mostly two letters of ISO 3166.
    #[schema(value_type = Option<String>, example = "US")]
    pub country: Text<'a>,
}
