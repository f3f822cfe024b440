//! Simulation of the corporation vendor's API v1: list customers and retrieve customer.

use super::Handle;

mod change;
mod cursor;
mod error;
mod extend;
mod filter;
mod generate;
mod model;
mod service;
mod table;
mod view;

pub use self::model::{Address, Certificate, Customer};
pub(crate) use self::{generate::generate, service::Service};

/// Corporation id in the example of the vendor's page.
pub const CORPORATION_ID: &str = "corp_123";
/// Bearer token that the sandbox accepts.
pub const CREDENTIAL: &str = "sandbox-corporation-token";

/// Controls of the simulated corporation vendor.
pub type Corporation = Handle<Service>;

impl Corporation {
    /// Returns the id of the only corporation.
    #[must_use]
    pub fn corporation_id(&self) -> &str {
        CORPORATION_ID
    }
}
