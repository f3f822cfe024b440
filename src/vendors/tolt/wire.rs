//! Tolt's objects, with the field names of its pages. Expanded objects are on the heap:
//! rows rarely have them, and reading moves a row several times.

use serde::Deserialize;

use crate::{
    domain::timestamp::Timestamp,
    vendors::wire::{Field, HasId, Nested, Text},
};

/// A customer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Customer<'a> {
    pub(super) id: Text<'a>,
    pub(super) email: Text<'a>,
    pub(super) partner_id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) customer_id: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
    pub(super) updated_at: Field<Timestamp>,
    pub(super) status: Text<'a>,
    pub(super) program_id: Text<'a>,
    pub(super) organization_id: Text<'a>,
    pub(super) partner: Nested<Box<Partner<'a>>>,
    pub(super) program: Nested<Box<Program<'a>>>,
    pub(super) stats: Nested<Box<Stats>>,
}

/// A transaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Transaction<'a> {
    pub(super) id: Text<'a>,
    pub(super) amount: Field<i64>,
    pub(super) currency: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) customer_id: Text<'a>,
    pub(super) billing_type: Text<'a>,
    pub(super) charge_id: Text<'a>,
    pub(super) click_id: Text<'a>,
    pub(super) product_id: Text<'a>,
    pub(super) product_name: Text<'a>,
    pub(super) source: Text<'a>,
    pub(super) interval: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
    pub(super) updated_at: Field<Timestamp>,
    pub(super) program_id: Text<'a>,
    pub(super) partner_id: Text<'a>,
    pub(super) organization_id: Text<'a>,
    pub(super) customer: Nested<Box<CustomerSummary<'a>>>,
    pub(super) partner: Nested<Box<Partner<'a>>>,
    pub(super) program: Nested<Box<Program<'a>>>,
}

/// The customer in a transaction: it has only these fields (FACTS.md, "Tolt v1").
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct CustomerSummary<'a> {
    pub(super) id: Text<'a>,
    pub(super) email: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
}

/// An expanded partner.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Partner<'a> {
    pub(super) id: Text<'a>,
    pub(super) first_name: Text<'a>,
    pub(super) last_name: Text<'a>,
    pub(super) email: Text<'a>,
    pub(super) company_name: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
}

/// An expanded program.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Program<'a> {
    pub(super) id: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) product_name: Text<'a>,
    pub(super) subdomain: Text<'a>,
    pub(super) r#type: Text<'a>,
    pub(super) currency_code: Text<'a>,
    pub(super) created_at: Field<Timestamp>,
}

/// Statistics of a customer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stats {
    pub(super) total_revenue: Field<i64>,
    pub(super) total_commission: Field<i64>,
    pub(super) total_orders: Field<i64>,
    pub(super) last_order_at: Field<Timestamp>,
}

impl HasId for Customer<'_> {
    fn id(&self) -> Option<&str> {
        self.id.value().map(AsRef::as_ref)
    }
}

impl HasId for Transaction<'_> {
    fn id(&self) -> Option<&str> {
        self.id.value().map(AsRef::as_ref)
    }
}
