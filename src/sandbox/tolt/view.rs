//! The bodies of Tolt's answers.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::Field,
    Customer, Partner, Program, Transaction,
    question::{Expand, Object},
    table::{Row, Table},
};

/// What expanded objects are taken from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Related<'a> {
    pub(crate) program: &'a Program,
    pub(crate) partners: &'a HashMap<String, Partner>,
    pub(crate) customers: &'a Table<Customer>,
    pub(crate) transactions: &'a Table<Transaction>,
}

/// A list; customers are one `data` deeper than transactions (the pages' examples).
#[derive(Debug, Serialize)]
pub(crate) struct ListBody<D> {
    pub(crate) success: bool,
    pub(crate) has_more: bool,
    pub(crate) total_count: usize,
    pub(crate) data: D,
}

/// One object, or the inner `data` of the customer list.
#[derive(Debug, Serialize)]
pub(crate) struct DataBody<D> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) success: Option<bool>,
    pub(crate) data: D,
}

/// A customer with what was asked to stand inside it.
#[derive(Debug, Serialize)]
pub(crate) struct CustomerView<'a> {
    #[serde(flatten)]
    customer: &'a Customer,
    #[serde(skip_serializing_if = "Field::is_absent")]
    partner: Field<&'a Partner>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    program: Field<&'a Program>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    stats: Field<Stats>,
}

/// A transaction with what was asked to stand inside it.
#[derive(Debug, Serialize)]
pub(crate) struct TransactionView<'a> {
    #[serde(flatten)]
    transaction: &'a Transaction,
    #[serde(skip_serializing_if = "Field::is_absent")]
    customer: Field<CustomerInside<'a>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    partner: Field<&'a Partner>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    program: Field<&'a Program>,
}

/// The five fields that a customer inside a transaction has (FACTS).
#[derive(Debug, Serialize)]
struct CustomerInside<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Field::is_absent")]
    email: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    name: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    status: &'a Field<String>,
    created_at: &'a str,
}

/// `include[]=stats`, in cents (the page of retrieve customer).
#[derive(Debug, Serialize)]
struct Stats {
    total_revenue: i64,
    total_commission: i64,
    total_orders: usize,
    last_order_at: Option<String>,
}

impl<'a> Related<'a> {
    pub(crate) fn customer(self, customer: &'a Customer, expand: &Expand) -> CustomerView<'a> {
        CustomerView {
            customer,
            partner: asked(expand.has(Object::Partner), || self.partner(&customer.partner_id)),
            program: asked(expand.has(Object::Program), || self.program(&customer.program_id)),
            stats: asked(expand.has(Object::Stats), || Some(self.stats(customer))),
        }
    }

    pub(crate) fn transaction(self, transaction: &'a Transaction, expand: &Expand) -> TransactionView<'a> {
        TransactionView {
            transaction,
            customer: asked(expand.has(Object::Customer), || {
                let customer = self.customers.get(&transaction.customer_id)?;
                Some(CustomerInside {
                    id: &customer.id,
                    email: &customer.email,
                    name: &customer.name,
                    status: &customer.status,
                    created_at: &customer.created_at,
                })
            }),
            partner: asked(expand.has(Object::Partner), || self.partner(&transaction.partner_id)),
            program: asked(expand.has(Object::Program), || self.program(&transaction.program_id)),
        }
    }

    fn partner(self, id: &Field<String>) -> Option<&'a Partner> {
        self.partners.get(id.as_str()?)
    }

    fn program(self, id: &str) -> Option<&'a Program> {
        (self.program.id == id).then_some(self.program)
    }

    /// What the customer's transactions amount to, a fifth of it commission as in the page's
    /// example.
    fn stats(self, customer: &Customer) -> Stats {
        let orders: Vec<&Transaction> =
            self.transactions.rows().filter(|transaction| transaction.customer_id == customer.id).collect();
        let total_revenue = orders
            .iter()
            .filter_map(|order| match order.amount.as_str() {
                Some(text) => text.parse().ok(),
                None => order.amount.as_i64(),
            })
            .fold(0_i64, i64::saturating_add);
        Stats {
            total_revenue,
            total_commission: total_revenue / 5,
            total_orders: orders.len(),
            last_order_at: orders.last().map(|order| millis(order.created_at())),
        }
    }
}

/// An object that was asked for is there or null; one that was not is absent.
fn asked<T>(asked: bool, find: impl FnOnce() -> Option<T>) -> Field<T> {
    if asked { find().into() } else { Field::Absent }
}

/// The timestamp format of the pages' examples.
pub(crate) fn millis(at: Timestamp) -> String {
    format!("{at:.3}")
}
