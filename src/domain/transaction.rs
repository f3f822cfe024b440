//! The normalized transaction, as served. The rules of [`super::customer`]
//! apply.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    customer::{Source, Text},
    id::GatewayId,
    referral::Referral,
    timestamp::Timestamp,
};

/// A payment or refund of a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transaction<'a> {
    /// The id at the gateway, `<connection>.<vendor's id>`.
    #[schema(value_type = String, example = "affiliates.txn_eK9bzRGn46BhVgNFHD6fDgXW")]
    pub id: GatewayId<'a>,
    /// The connection and vendor that hold the transaction.
    pub source: Source<'a>,
    /// The customer's id at the gateway.
    #[schema(value_type = Option<String>, example = "affiliates.cust_eK9bzRGn46BhVgNFHD6fDgXW")]
    pub customer_id: Option<GatewayId<'a>>,
    /// The amount in minor units, negative for a refund. The number may exceed
    /// 2^53-1, above which JavaScript numbers lose digits.
    #[schema(value_type = Option<i64>, example = 9999)]
    pub amount: Option<i64>,
    /// The currency, as a three-letter ISO 4217 code.
    #[schema(value_type = Option<String>, example = "USD")]
    pub currency: Text<'a>,
    /// The vendor's status. An open list; known values are `paid` and `refunded`.
    #[schema(value_type = Option<String>, example = "paid", extensions(("x-extensible-enum" = json!(["paid", "refunded"]))))]
    pub status: Text<'a>,
    /// The billing type. An open list; known values are `one_time` and
    /// `subscription`.
    #[schema(value_type = Option<String>, example = "subscription", extensions(("x-extensible-enum" = json!(["one_time", "subscription"]))))]
    pub billing_type: Text<'a>,
    /// The interval of a subscription. An open list; known values are `month` and
    /// `year`.
    #[schema(value_type = Option<String>, example = "month", extensions(("x-extensible-enum" = json!(["month", "year"]))))]
    pub interval: Text<'a>,
    /// The platform that charged the customer (the vendor's `source`).
    #[schema(value_type = Option<String>, example = "stripe")]
    pub platform: Text<'a>,
    /// The id of the charge on that platform.
    #[schema(value_type = Option<String>, example = "ch_9bzRGn46BhVgNFHD6fDgXW")]
    pub charge_id: Text<'a>,
    /// The id of the click that led to the transaction.
    #[schema(value_type = Option<String>, example = "clk_7mbzRGn46BhVgNFHD6fDgXW")]
    pub click_id: Text<'a>,
    /// The product that was sold. Absent if the vendor names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub product: Option<Product<'a>>,
    /// The creation time of the transaction.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub created_at: Option<Timestamp>,
    /// The time of the last change to the transaction.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub updated_at: Option<Timestamp>,
    /// The referral that earns a commission on the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub referral: Option<Referral<'a>>,
    /// A summary of the customer, with `expand=customer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub customer: Option<CustomerSummary<'a>>,
    /// The vendor's own object, with `include=raw`. Values that are not valid
    /// JSON are null or contain U+FFFD; the rest is unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub raw: Option<Cow<'a, RawValue>>,
}

/// The product of a transaction. Absent if the vendor names none.
#[derive(Debug, Serialize, ToSchema)]
pub struct Product<'a> {
    /// The product's id.
    #[schema(value_type = Option<String>, example = "prod_123")]
    pub id: Text<'a>,
    /// The product's name.
    #[schema(value_type = Option<String>, example = "Premium Plan")]
    pub name: Text<'a>,
}

/// The customer fields that vendors include in a transaction. Included with
/// `expand=customer`.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerSummary<'a> {
    /// The customer's id at the gateway.
    #[schema(value_type = Option<String>, example = "affiliates.cust_eK9bzRGn46BhVgNFHD6fDgXW")]
    pub id: Option<GatewayId<'a>>,
    /// The name of the person or company.
    #[schema(value_type = Option<String>, example = "Jim Halpert")]
    pub name: Text<'a>,
    /// The email address. Vendors do not guarantee its format.
    #[schema(value_type = Option<String>, example = "customer@example.com")]
    pub email: Text<'a>,
    /// The vendor's status. An open list with the values of a customer's status.
    #[schema(value_type = Option<String>, example = "active")]
    pub status: Text<'a>,
    /// The creation time of the customer.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub created_at: Option<Timestamp>,
}
