//! Tolt's objects, with the fields and the names of its pages.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    super::Field,
    ORGANIZATION_ID, PROGRAM_ID, generate,
    table::{Row, instant},
};

/// All that Tolt holds.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// The one program.
    pub program: Program,
    /// The partners that customers and transactions refer to.
    pub partners: Vec<Partner>,
    /// The customers, in any order.
    pub customers: Vec<Customer>,
    /// The transactions, in any order.
    pub transactions: Vec<Transaction>,
}

impl Data {
    /// Makes up so many rows; without customers there are no transactions.
    #[must_use]
    pub fn generate(seed: u64, customers: usize, transactions: usize) -> Self {
        generate::data(seed, customers, transactions)
    }
}

/// A customer (the pages of list and retrieve).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Customer {
    /// A uuid, or prefixed with `cust_`.
    pub id: String,
    /// May be any unique string (FACTS).
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub email: Field<String>,
    /// The referring partner.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub partner_id: Field<String>,
    /// May hold another system's id (FACTS).
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub name: Field<String>,
    /// The id that Tolt's user gave the customer.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub customer_id: Field<String>,
    /// An ISO 8601 timestamp in any of Tolt's formats; one that cannot be read sorts first.
    pub created_at: String,
    /// An ISO 8601 timestamp 'of when the customer became active'.
    pub updated_at: String,
    /// `lead`, `trialing`, `active`, `canceled`, and `suspended` in v2 (FACTS).
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub status: Field<String>,
    /// Lists show the customers of the program asked for only.
    pub program_id: String,
    /// The organization.
    pub organization_id: String,
    /// Any other fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Customer {
    /// A lead of the pages' program, with nothing else known.
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

/// A transaction (the page of list transactions).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Transaction {
    /// A uuid, or prefixed with `txn_`.
    pub id: String,
    /// Cents: an integer, negative for a refund, or the same as a string (FACTS).
    pub amount: Value,
    /// Tolt's id of the customer, unlike the field of this name on a customer.
    pub customer_id: String,
    /// `one_time`, `subscription` or null.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub billing_type: Field<String>,
    /// The payment system's id of the charge.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub charge_id: Field<String>,
    /// The click that led to it.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub click_id: Field<String>,
    /// The product.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub product_id: Field<String>,
    /// The product's name.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub product_name: Field<String>,
    /// The payment system, such as `stripe`.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub source: Field<String>,
    /// `month`, `year` or null.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub interval: Field<String>,
    /// As on a customer.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// Lists show the transactions of the program asked for only.
    pub program_id: String,
    /// The partner who earned by it.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub partner_id: Field<String>,
    /// Any other fields, such as those that FACTS names.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Transaction {
    /// A payment in the pages' program, with nothing else known.
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

/// A partner, as `expand[]=partner` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Partner {
    /// Prefixed with `part_`.
    pub id: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The email address.
    pub email: String,
    /// The company, null for a person on their own.
    pub company_name: Option<String>,
    /// `active`, `pending`, `suspended` or `rejected`.
    pub status: String,
    /// An ISO 8601 timestamp.
    pub created_at: String,
}

/// A program, as `expand[]=program` shows it. The default is the page's example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Prefixed with `prg_`.
    pub id: String,
    /// Such as `active`.
    pub status: String,
    /// The program's name.
    pub name: String,
    /// The product's name.
    pub product_name: String,
    /// The subdomain.
    pub subdomain: String,
    /// Such as `public`.
    pub r#type: String,
    /// Three letters.
    pub currency_code: String,
    /// An ISO 8601 timestamp.
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

impl Row for Customer {
    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> jiff::Timestamp {
        instant(&self.created_at)
    }
}

impl Row for Transaction {
    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> jiff::Timestamp {
        instant(&self.created_at)
    }
}
