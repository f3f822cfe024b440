//! Simulation of Tolt's API v1: the lists of customers and transactions, and retrieve customer.

use super::{
    Handle, ToltSearch,
    lock::{read, write},
    vendor::Store,
};

mod change;
mod error;
mod expand;
mod generate;
mod list_query;
mod model;
mod range;
mod row;
mod service;
mod table;
mod timestamp;
mod view;

pub use self::model::{Customer, Data, Partner, Program, Transaction};
pub(crate) use self::service::Service;

/// Program id in the examples of both list pages.
pub const PROGRAM_ID: &str = "prg_YRsbPDAKhWfdqJbFACheh";
/// Organization id in the examples of the pages.
pub const ORGANIZATION_ID: &str = "org_JE3mfYNL9ci7sFaJazAv2";
/// API key that the sandbox accepts.
pub const CREDENTIAL: &str = "sandbox-tolt-key";

/// Controls of the simulated Tolt.
pub type Tolt = Handle<Service>;

impl Tolt {
    /// Returns the id of the only program.
    #[must_use]
    pub fn program_id(&self) -> &str {
        self.service().program_id()
    }

    /// Changes the treatment of `search`.
    pub fn set_search(&self, search: ToltSearch) {
        self.service().set_search(search);
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

    /// Changes a transaction. Returns false if the id is unknown. `updated_at` moves by a second,
    /// unless `change` sets it.
    pub fn update_transaction(&self, id: &str, change: impl FnOnce(&mut Transaction)) -> bool {
        write(self.service().transactions()).update(id, change)
    }

    /// Removes a transaction. Returns false if the id is unknown.
    #[expect(clippy::must_use_candidate, reason = "most tests know that the transaction exists")]
    pub fn delete_transaction(&self, id: &str) -> bool {
        write(self.service().transactions()).remove(id)
    }
}
