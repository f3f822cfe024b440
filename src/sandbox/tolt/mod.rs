//! Tolt's API v1, as far as its pages of customers and transactions go.

use super::{
    Handle,
    gate::Store,
    lock::{read, write},
};

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

/// Controls of the simulated Tolt.
pub type Tolt = Handle<Service>;

impl Tolt {
    /// Returns the id of the only program.
    #[must_use]
    pub fn program_id(&self) -> &str {
        self.service().program_id()
    }

    /// Returns the transactions, oldest first, transactions of one instant by id.
    #[must_use]
    pub fn transactions(&self) -> Vec<Transaction> {
        read(self.service().transactions()).to_vec()
    }

    /// Adds a transaction, or replaces the transaction with the same id.
    pub fn insert_transaction(&self, transaction: Transaction) {
        write(self.service().transactions()).insert(transaction);
    }
}
