//! Objects of Tolt, with the field names of its pages.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{super::Field, ORGANIZATION_ID, PROGRAM_ID, generate};

/// Rows of Tolt.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// Only program.
    pub program: Program,
    /// Partners that customers and transactions refer to.
    pub partners: Vec<Partner>,
    /// Customers, in any order.
    pub customers: Vec<Customer>,
    /// Transactions, in any order.
    pub transactions: Vec<Transaction>,
}

impl Data {
    /// Generates rows. There are no transactions without customers.
    #[must_use]
    pub fn generate(seed: u64, customers: usize, transactions: usize) -> Self {
        generate::generate(seed, customers, transactions)
    }
}

/// Customer, as on the pages of list and retrieve.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Customer {
    /// Id: a uuid, or a string with the prefix `cust_`.
    pub id: String,
    /// Email address, or any other unique string (FACTS).
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub email: Field<String>,
    /// Id of the referring partner.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub partner_id: Field<String>,
    /// Name, or the id in another system (FACTS).
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub name: Field<String>,
    /// Id that Tolt's user gave to the customer.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub customer_id: Field<String>,
    /// ISO 8601 timestamp in any of Tolt's formats. An unreadable timestamp sorts first.
    pub created_at: String,
    /// ISO 8601 timestamp, documented as 'of when the customer became active'.
    pub updated_at: String,
    /// Status: `lead`, `trialing`, `active`, `canceled`, and `suspended` in v2 (FACTS).
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub status: Field<String>,
    /// Program id. A list shows only the customers of the requested program.
    pub program_id: String,
    /// Organization id.
    pub organization_id: String,
    /// All other fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Customer {
    /// Creates a lead of the pages' program. All other fields are null.
    #[must_use]
    pub fn new(id: &str, created_at: &str) -> Self {
        Self {
            id: id.to_owned(),
            email: Field::Null,
            partner_id: Field::Null,
            name: Field::Null,
            customer_id: Field::Null,
            created_at: created_at.to_owned(),
            updated_at: created_at.to_owned(),
            status: "lead".into(),
            program_id: PROGRAM_ID.to_owned(),
            organization_id: ORGANIZATION_ID.to_owned(),
            extra: Map::new(),
        }
    }
}

/// Transaction, as on the page of list transactions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Transaction {
    /// Id: a uuid, or a string with the prefix `txn_`.
    pub id: String,
    /// Amount in cents, negative for a refund: an integer, or an integer in a string (FACTS).
    pub amount: Value,
    /// Tolt's id of the customer. The field of this name on a customer has another meaning.
    pub customer_id: String,
    /// Billing type: `one_time`, `subscription` or null.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub billing_type: Field<String>,
    /// Id of the charge in the payment system.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub charge_id: Field<String>,
    /// Id of the click that led to the transaction.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub click_id: Field<String>,
    /// Id of the product.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub product_id: Field<String>,
    /// Name of the product.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub product_name: Field<String>,
    /// Payment system, such as `stripe`.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub source: Field<String>,
    /// Billing interval: `month`, `year` or null.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub interval: Field<String>,
    /// ISO 8601 timestamp in any of Tolt's formats. An unreadable timestamp sorts first.
    pub created_at: String,
    /// ISO 8601 timestamp of the last change.
    pub updated_at: String,
    /// Program id. A list shows only the transactions of the requested program.
    pub program_id: String,
    /// Id of the partner who earned a commission.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub partner_id: Field<String>,
    /// All other fields, such as the fields that FACTS names.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Transaction {
    /// Creates a payment in the pages' program. All other fields are null.
    #[must_use]
    pub fn new(id: &str, customer_id: &str, cents: i64, created_at: &str) -> Self {
        Self {
            id: id.to_owned(),
            amount: cents.into(),
            customer_id: customer_id.to_owned(),
            billing_type: Field::Null,
            charge_id: Field::Null,
            click_id: Field::Null,
            product_id: Field::Null,
            product_name: Field::Null,
            source: Field::Null,
            interval: Field::Null,
            created_at: created_at.to_owned(),
            updated_at: created_at.to_owned(),
            program_id: PROGRAM_ID.to_owned(),
            partner_id: Field::Null,
            extra: Map::new(),
        }
    }
}

/// Partner, as embedded by `expand[]=partner`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Partner {
    /// Id with the prefix `part_`.
    pub id: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Email address.
    pub email: String,
    /// Name of the company; null for a person.
    pub company_name: Option<String>,
    /// Status: `active`, `pending`, `suspended` or `rejected`.
    pub status: String,
    /// ISO 8601 timestamp.
    pub created_at: String,
}

/// Program, as embedded by `expand[]=program`. The default is the page's example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Id with the prefix `prg_`.
    pub id: String,
    /// Status, such as `active`.
    pub status: String,
    /// Name of the program.
    pub name: String,
    /// Name of the product.
    pub product_name: String,
    /// Subdomain.
    pub subdomain: String,
    /// Type, such as `public`.
    pub r#type: String,
    /// Currency code of three letters.
    pub currency_code: String,
    /// ISO 8601 timestamp.
    pub created_at: String,
}

impl Default for Program {
    fn default() -> Self {
        Self {
            id: PROGRAM_ID.to_owned(),
            status: "active".to_owned(),
            name: "Tolt's Partnership Program".to_owned(),
            product_name: "Tolt".to_owned(),
            subdomain: "affiliates".to_owned(),
            r#type: "public".to_owned(),
            currency_code: "USD".to_owned(),
            created_at: "2024-03-05T10:28:08.984+00:00".to_owned(),
        }
    }
}
