//! The corporation-style vendor's API v1, as far as its page of customers goes.

use super::Handle;

mod cursor;
mod error;
mod filter;
mod generate;
mod model;
mod service;
mod table;
mod view;

pub use self::model::{Address, Certificate, Customer};
pub(crate) use self::{generate::generate, service::Service};

/// The corporation that the page shows.
pub const CORPORATION_ID: &str = "corp_123";
/// The bearer token that the sandbox accepts.
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
