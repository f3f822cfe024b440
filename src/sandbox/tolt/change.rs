//! New and changed rows of Tolt.

use fastrand::Rng;
use jiff::Timestamp;

use super::{
    super::{
        names::{FAMILY, GIVEN},
        random::pick,
    },
    Customer, Partner, Transaction,
    generate::{FIRST_DAY, customer, transaction},
    timestamp::format_millis,
};

/// Generates the customer with this number, created at an instant in epoch milliseconds.
pub(crate) fn new_customer(rng: &mut Rng, number: usize, at: i64, partners: &[&Partner]) -> Customer {
    let row = customer(rng, number, timestamp(at), partners);
    Customer { created_at: format_at(at), updated_at: format_at(at), ..row }
}

/// Changes the name or the email address at an instant in epoch milliseconds.
pub(crate) fn change_customer(rng: &mut Rng, customer: &mut Customer, at: i64) {
    let ((given, given_ascii), (family, family_ascii)) = (pick(rng, GIVEN), pick(rng, FAMILY));
    if rng.bool() {
        customer.name = format!("{given} {family}").into();
    } else {
        customer.email = format!("{given_ascii}.{family_ascii}.{}@new.example", rng.u32(..)).into();
    }
    customer.updated_at = format_at(at);
}

/// Generates a transaction of a customer, created at an instant in epoch milliseconds.
pub(crate) fn new_transaction(rng: &mut Rng, at: i64, payer: &Customer) -> Transaction {
    let row = transaction(rng, timestamp(FIRST_DAY * 1_000), payer);
    Transaction { created_at: format_at(at), updated_at: format_at(at), ..row }
}

/// Changes the amount at an instant in epoch milliseconds.
pub(crate) fn change_transaction(rng: &mut Rng, transaction: &mut Transaction, at: i64) {
    transaction.amount = rng.i64(500..60_000).into();
    transaction.updated_at = format_at(at);
}

/// Converts epoch milliseconds. The times of changes are in range.
fn timestamp(at: i64) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX)
}

fn format_at(at: i64) -> String {
    format_millis(timestamp(at))
}
