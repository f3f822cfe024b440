//! The referral of a customer or transaction, as served. The rules of
//! [`super::customer`] apply.

use serde::Serialize;
use utoipa::ToSchema;

use super::{customer::Text, timestamp::Timestamp};

/// The partner and program that referred the customer. Present only for rows of
/// an affiliate vendor.
#[derive(Debug, Serialize, ToSchema)]
pub struct Referral<'a> {
    /// The id of the referring partner.
    #[schema(value_type = Option<String>, example = "part_s7mbzRGn46BhVgNFHD6fDgXW")]
    pub partner_id: Text<'a>,
    /// The id of the program.
    #[schema(value_type = Option<String>, example = "prg_YRsbPDAKhWfdqJbFACheh")]
    pub program_id: Text<'a>,
    /// The id of the organization.
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
    /// The customer's statistics, with `expand=stats`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub stats: Option<Stats>,
}

/// A partner who refers customers. Included with `expand=partner`.
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
    /// The email address.
    #[schema(value_type = Option<String>, example = "michael.scott@dundermifflin.com")]
    pub email: Text<'a>,
    /// The name of the company.
    #[schema(value_type = Option<String>, example = "Dunder Mifflin")]
    pub company_name: Text<'a>,
    /// The vendor's status. An open list; known values are `active`, `pending`,
    /// `suspended` and `rejected`.
    #[schema(value_type = Option<String>, example = "active", extensions(("x-extensible-enum" = json!(["active", "pending", "suspended", "rejected"]))))]
    pub status: Text<'a>,
    /// The creation time of the partner.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-13T10:06:11.251Z")]
    pub created_at: Option<Timestamp>,
}

/// An affiliate program. Included with `expand=program`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Program<'a> {
    /// The program's id.
    #[schema(value_type = Option<String>, example = "prg_YRsbPDAKhWfdqJbFACheh")]
    pub id: Text<'a>,
    /// The vendor's status. An open list.
    #[schema(value_type = Option<String>, example = "active")]
    pub status: Text<'a>,
    /// The program's name.
    #[schema(value_type = Option<String>, example = "Tolt's Partnership Program")]
    pub name: Text<'a>,
    /// The name of the product that the program sells.
    #[schema(value_type = Option<String>, example = "Tolt")]
    pub product_name: Text<'a>,
    /// The program's subdomain at the vendor.
    #[schema(value_type = Option<String>, example = "affiliates")]
    pub subdomain: Text<'a>,
    /// The kind of program. An open list; a known value is `public`.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>, example = "public")]
    pub kind: Text<'a>,
    /// The program's currency, as a three-letter ISO 4217 code.
    #[schema(value_type = Option<String>, example = "USD")]
    pub currency: Text<'a>,
    /// The creation time of the program.
    #[schema(value_type = Option<String>, format = DateTime, example = "2024-03-05T10:28:08.984Z")]
    pub created_at: Option<Timestamp>,
}

/// Statistics of a customer. Included with `expand=stats`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stats {
    /// The revenue in minor units of the program's currency. The number may
    /// exceed 2^53-1, above which JavaScript numbers lose digits.
    #[schema(value_type = Option<i64>, example = 99900)]
    pub total_revenue: Option<i64>,
    /// The commission in minor units of the program's currency. The number may
    /// exceed 2^53-1, above which JavaScript numbers lose digits.
    #[schema(value_type = Option<i64>, example = 19980)]
    pub total_commission: Option<i64>,
    /// The number of orders.
    #[schema(value_type = Option<i64>, example = 3)]
    pub total_orders: Option<i64>,
    /// The time of the last order.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-20T09:15:32.000Z")]
    pub last_order_at: Option<Timestamp>,
}
