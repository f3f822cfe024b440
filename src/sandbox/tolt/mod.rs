//! Tolt's API v1, as far as its pages of customers and transactions go.

use std::{net::SocketAddr, sync::Arc};

use super::Fault;

mod error;
mod generate;
mod model;
mod question;
mod service;
mod table;
mod view;

pub use self::model::{Customer, Data, Partner, Program, Transaction};
pub(crate) use self::service::Service;

/// The program that both list pages show.
pub const PROGRAM_ID: &str = "prg_YRsbPDAKhWfdqJbFACheh";
/// The organization that the pages show.
pub const ORGANIZATION_ID: &str = "org_JE3mfYNL9ci7sFaJazAv2";
/// The API key that the sandbox accepts.
pub const CREDENTIAL: &str = "sandbox-tolt-key";

/// Controls over the simulated Tolt. Clones control the same one.
#[derive(Clone, Debug)]
pub struct Tolt {
    base_url: String,
    service: Arc<Service>,
}

impl Tolt {
    pub(crate) fn new(address: SocketAddr, service: Arc<Service>) -> Self {
        Self { base_url: format!("http://{address}"), service }
    }

    /// What stands before `/v1/customers`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// The API key.
    #[must_use]
    pub fn credential(&self) -> &str {
        CREDENTIAL
    }

    /// The id of the one program.
    #[must_use]
    pub fn program_id(&self) -> &str {
        self.service.program_id()
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

    /// The customers, oldest first, those of one instant by id.
    #[must_use]
    pub fn customers(&self) -> Vec<Customer> {
        self.service.customers().to_vec()
    }

    /// The transactions, oldest first, those of one instant by id.
    #[must_use]
    pub fn transactions(&self) -> Vec<Transaction> {
        self.service.transactions().to_vec()
    }

    /// Adds a customer in its place, or replaces the one of its id.
    pub fn insert(&self, customer: Customer) {
        self.service.customers_mut().insert(customer);
    }

    /// Removes a customer, whose id is no cursor any more; its transactions stay. False if there
    /// is no such customer.
    #[expect(clippy::must_use_candidate, reason = "most tests know that it is there")]
    pub fn delete(&self, id: &str) -> bool {
        self.service.customers_mut().remove(id)
    }

    /// Adds a transaction in its place, or replaces the one of its id.
    pub fn insert_transaction(&self, transaction: Transaction) {
        self.service.transactions_mut().insert(transaction);
    }
}
