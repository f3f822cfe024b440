//! The corporation-style vendor's API v1, as far as its page of customers goes.

use std::{net::SocketAddr, sync::Arc};

use super::Fault;

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

/// Controls over the simulated vendor. Clones control the same one.
#[derive(Clone, Debug)]
pub struct Corporation {
    base_url: String,
    service: Arc<Service>,
}

impl Corporation {
    pub(crate) fn new(address: SocketAddr, service: Arc<Service>) -> Self {
        Self { base_url: format!("http://{address}/api/v1"), service }
    }

    /// What stands before `/customers`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// The bearer token.
    #[must_use]
    pub fn credential(&self) -> &str {
        CREDENTIAL
    }

    /// The id of the one corporation.
    #[must_use]
    pub fn corporation_id(&self) -> &str {
        CORPORATION_ID
    }

    /// How many requests came in since the start or the last reset, answered well or not.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.service.log().count()
    }

    /// Forgets the requests so far.
    pub fn reset_calls(&self) {
        self.service.log().reset();
    }

    /// The path and query of the last 1,000 requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.service.log().last()
    }

    /// Answers the next `n` calls with a fault, after those of earlier calls of this.
    pub fn fail_next(&self, n: usize, fault: Fault) {
        self.service.fail_next(n, fault);
    }

    /// The customers in the order of its lists, which follows no field.
    #[must_use]
    pub fn customers(&self) -> Vec<Customer> {
        self.service.customers().to_vec()
    }

    /// Adds a customer somewhere in the list, or replaces the one of its id.
    pub fn insert(&self, customer: Customer) {
        self.service.customers_mut().insert(customer);
    }

    /// Removes a customer; cursors that stood on it go on from its place. False if there is no
    /// such customer.
    #[expect(clippy::must_use_candidate, reason = "most tests know that it is there")]
    pub fn delete(&self, id: &str) -> bool {
        self.service.customers_mut().remove(id)
    }
}
