//! The normalized transaction, as served. The rules of [`super::customer`]
//! hold here too.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    customer::{Referral, Source, Text},
    id::GatewayId,
    timestamp::Timestamp,
};

/// A payment or refund of a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transaction<'a> {
    /// The id at the gateway, `<connection>.<vendor's id>`.
    #[schema(value_type = String, example = "affiliates.txn_eK9bzRGn46BhVgNFHD6fDgXW")]
    pub id: GatewayId<'a>,
    /// Where the transaction is held.
    pub source: Source<'a>,
    /// The customer's id at the gateway.
    #[schema(value_type = Option<String>, example = "affiliates.cust_eK9bzRGn46BhVgNFHD6fDgXW")]
    pub customer_id: Option<GatewayId<'a>>,
    /// The amount in minor units, negative for a refund. May exceed 2^53-1,
    /// where JavaScript numbers lose digits.
    #[schema(value_type = Option<i64>, example = 9999)]
    pub amount: Option<i64>,
    /// The currency, three letters of ISO 4217.
    #[schema(value_type = Option<String>, example = "USD")]
    pub currency: Text<'a>,
    /// The vendor's status; an open list in which `paid` and `refunded` are
    /// known.
    #[schema(value_type = Option<String>, example = "paid", extensions(("x-extensible-enum" = json!(["paid", "refunded"]))))]
    pub status: Text<'a>,
    /// How it was billed; an open list in which `one_time` and `subscription`
    /// are known.
    #[schema(value_type = Option<String>, example = "subscription", extensions(("x-extensible-enum" = json!(["one_time", "subscription"]))))]
    pub billing_type: Text<'a>,
    /// The interval of a subscription; an open list in which `month` and
    /// `year` are known.
    #[schema(value_type = Option<String>, example = "month", extensions(("x-extensible-enum" = json!(["month", "year"]))))]
    pub interval: Text<'a>,
    /// The platform that charged the customer (the vendor's `source`).
    #[schema(value_type = Option<String>, example = "stripe")]
    pub platform: Text<'a>,
    /// The charge's id on that platform.
    #[schema(value_type = Option<String>, example = "ch_9bzRGn46BhVgNFHD6fDgXW")]
    pub charge_id: Text<'a>,
    /// The click that led to it.
    #[schema(value_type = Option<String>, example = "clk_7mbzRGn46BhVgNFHD6fDgXW")]
    pub click_id: Text<'a>,
    /// The product that was sold; absent where the vendor names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub product: Option<Product<'a>>,
    /// When the transaction was created.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub created_at: Option<Timestamp>,
    /// When the transaction was last changed.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub updated_at: Option<Timestamp>,
    /// The referral that earned a commission on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub referral: Option<Referral<'a>>,
    /// The customer in short, with `expand=customer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub customer: Option<CustomerSummary<'a>>,
    /// The vendor's own object, untouched, with `include=raw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub raw: Option<&'a RawValue>,
}

/// The product that was sold; absent where the vendor names none.
#[derive(Debug, Serialize, ToSchema)]
pub struct Product<'a> {
    /// The product's id.
    #[schema(value_type = Option<String>, example = "prod_123")]
    pub id: Text<'a>,
    /// The product's name.
    #[schema(value_type = Option<String>, example = "Premium Plan")]
    pub name: Text<'a>,
}

/// The part of a customer that vendors put into a transaction; shown with
/// `expand=customer`.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerSummary<'a> {
    /// The customer's id at the gateway.
    #[schema(value_type = Option<String>, example = "affiliates.cust_eK9bzRGn46BhVgNFHD6fDgXW")]
    pub id: Option<GatewayId<'a>>,
    /// The name of the person or company.
    #[schema(value_type = Option<String>, example = "Jim Halpert")]
    pub name: Text<'a>,
    /// The e-mail address; vendors do not promise that it is one.
    #[schema(value_type = Option<String>, example = "customer@example.com")]
    pub email: Text<'a>,
    /// The vendor's status; an open list, as on a customer.
    #[schema(value_type = Option<String>, example = "active")]
    pub status: Text<'a>,
    /// When the customer was created.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub created_at: Option<Timestamp>,
}
