//! Response bodies of Tolt.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    super::Field,
    Customer, Partner, Program, Transaction,
    expand::{Expand, Object},
    row::Row,
    table::Table,
    timestamp::format_millis,
};

/// Rows from which embedded objects are built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelatedRows<'a> {
    pub(crate) program: &'a Program,
    pub(crate) partners: &'a HashMap<String, Partner>,
    pub(crate) customers: &'a Table<Customer>,
    pub(crate) transactions: &'a Table<Transaction>,
}

/// List. Customers are nested one `data` deeper than transactions, as in the pages' examples.
#[derive(Debug, Serialize)]
pub(crate) struct ListBody<D> {
    pub(crate) success: bool,
    pub(crate) has_more: bool,
    pub(crate) total_count: usize,
    pub(crate) data: D,
}

/// Single object, or the inner `data` of the customer list.
#[derive(Debug, Serialize)]
pub(crate) struct DataBody<D> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) success: Option<bool>,
    pub(crate) data: D,
}

/// Customer with its embedded objects.
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

/// Transaction with its embedded objects.
#[derive(Debug, Serialize)]
pub(crate) struct TransactionView<'a> {
    #[serde(flatten)]
    transaction: &'a Transaction,
    #[serde(skip_serializing_if = "Field::is_absent")]
    customer: Field<EmbeddedCustomer<'a>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    partner: Field<&'a Partner>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    program: Field<&'a Program>,
}

/// Customer embedded in a transaction, with its five fields (FACTS).
#[derive(Debug, Serialize)]
struct EmbeddedCustomer<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Field::is_absent")]
    email: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    name: &'a Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    status: &'a Field<String>,
    created_at: &'a str,
}

/// Statistics of `include[]=stats` in cents, as on the page of retrieve customer.
#[derive(Debug, Serialize)]
struct Stats {
    total_revenue: i64,
    total_commission: i64,
    total_orders: usize,
    last_order_at: Option<String>,
}

impl<'a> RelatedRows<'a> {
    pub(crate) fn customer(self, customer: &'a Customer, expand: &Expand) -> CustomerView<'a> {
        CustomerView {
            customer,
            partner: embed(expand.has(Object::Partner), || self.partner(&customer.partner_id)),
            program: embed(expand.has(Object::Program), || self.program(&customer.program_id)),
            stats: embed(expand.has(Object::Stats), || Some(self.stats(customer))),
        }
    }

    pub(crate) fn transaction(self, transaction: &'a Transaction, expand: &Expand) -> TransactionView<'a> {
        TransactionView {
            transaction,
            customer: embed(expand.has(Object::Customer), || {
                let customer = self.customers.get(&transaction.customer_id)?;
                Some(EmbeddedCustomer {
                    id: &customer.id,
                    email: &customer.email,
                    name: &customer.name,
                    status: &customer.status,
                    created_at: &customer.created_at,
                })
            }),
            partner: embed(expand.has(Object::Partner), || self.partner(&transaction.partner_id)),
            program: embed(expand.has(Object::Program), || self.program(&transaction.program_id)),
        }
    }

    fn partner(self, id: &Field<String>) -> Option<&'a Partner> {
        self.partners.get(id.as_str()?)
    }

    fn program(self, id: &str) -> Option<&'a Program> {
        (self.program.id == id).then_some(self.program)
    }

    /// Sums the customer's transactions. A fifth of the revenue is commission, as in the page's
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
            last_order_at: orders.last().map(|order| format_millis(order.created_at())),
        }
    }
}

/// Returns a requested object, or null if the object does not exist. An object that is not requested
/// is absent.
fn embed<T>(requested: bool, find: impl FnOnce() -> Option<T>) -> Field<T> {
    if requested { find().into() } else { Field::Absent }
}
