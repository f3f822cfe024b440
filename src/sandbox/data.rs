//! Rows of both vendors.

use super::{Options, corporation, tolt};

/// Rows of both vendors.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// Rows of Tolt.
    pub tolt: tolt::Data,
    /// Customers of the corporation vendor, in any order.
    pub corporation: Vec<corporation::Customer>,
}

impl Data {
    /// Id that each vendor gives to one of its customers (FACTS, case 28).
    pub const SHARED_ID: &str = "cust_shared_between_vendors";

    /// Generates the number of rows that the options specify.
    #[must_use]
    pub fn generate(options: &Options) -> Self {
        Self {
            tolt: tolt::Data::generate(options.seed, options.tolt_customers, options.tolt_transactions),
            corporation: corporation::generate(options.seed, options.corporation_customers),
        }
    }
}
