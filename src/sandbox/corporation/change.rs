//! New and changed customers of the corporation vendor.

use fastrand::Rng;

use super::{
    super::{
        names::FAMILY,
        random::{id, pick},
    },
    Customer,
    generate::{company, customer},
};

/// Generates the customer with this number, created at an instant in epoch milliseconds.
pub(crate) fn new_customer(rng: &mut Rng, number: usize, at: i64) -> Customer {
    let id = id(rng, "cust_");
    Customer { created_at: (at / 1_000).into(), ..customer(rng, number, id) }
}

/// Changes the name or the email address. The vendor documents no time of the last change (FACTS).
pub(crate) fn change_customer(rng: &mut Rng, customer: &mut Customer) {
    if rng.bool() {
        customer.name = company(rng).into();
    } else {
        let (_, family) = pick(rng, FAMILY);
        customer.email = format!("{family}.{}@new.example", rng.u32(..)).into();
    }
}
