//! Controls of one simulated vendor.

use std::{net::SocketAddr, sync::Arc};

use super::{
    Fault, Lie,
    lock::{read, write},
    vendor::{Store, Vendor},
};

/// Controls of one simulated vendor. Clones control the same vendor.
#[derive(Debug)]
pub struct Handle<S> {
    base_url: String,
    service: Arc<S>,
}

impl<S: Vendor> Handle<S> {
    /// Returns the URL that precedes the vendor's routes, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// Returns the bearer token that the vendor accepts.
    #[must_use]
    pub fn credential(&self) -> &str {
        self.service.gate().credential()
    }

    /// Returns the number of requests since the start or the last reset, including failed requests.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.service.gate().log.count()
    }

    /// Clears the request count and the request log.
    pub fn reset_calls(&self) {
        self.service.gate().log.reset();
    }

    /// Returns the path and query of the last 1,000 requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.service.gate().log.recent()
    }

    /// Queues a fault for `n` calls, after all faults queued before.
    pub fn fail_next(&self, n: usize, fault: Fault) {
        self.service.gate().fail_next(n, fault);
    }

    /// Returns the customers in the vendor's order. Tolt: oldest first, customers of one instant by
    /// id. The corporation vendor: list order, which follows no field.
    #[must_use]
    pub fn customers(&self) -> Vec<S::Customer> {
        read(self.service.customers()).to_vec()
    }

    /// Replaces all lies in the vendor's lists. Without lies, the lists are correct.
    pub fn set_lies(&self, lies: &[Lie]) {
        self.service.gate().lies.set(lies);
    }

    /// Adds a customer, or replaces the customer with the same id.
    ///
    /// The customer's creation time determines its place at Tolt. Its id determines its place at the
    /// corporation vendor, which promises no order: a new customer appears anywhere in the list.
    pub fn insert(&self, customer: S::Customer) {
        write(self.service.customers()).insert(customer);
    }

    /// Changes a customer. Returns false if the id is unknown.
    ///
    /// Tolt's `updated_at` moves by a second, unless `change` sets it. A customer with another
    /// `created_at` has another place in Tolt's list. At the corporation vendor, a change moves no
    /// customer.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut S::Customer)) -> bool {
        write(self.service.customers()).update(id, change)
    }

    /// Removes a customer. Returns false if the id is unknown.
    ///
    /// Tolt rejects a removed id as a cursor and keeps the customer's transactions. The corporation
    /// vendor accepts a cursor of a removed customer and continues from its position.
    #[expect(clippy::must_use_candidate, reason = "most tests know that the customer exists")]
    pub fn delete(&self, id: &str) -> bool {
        write(self.service.customers()).remove(id)
    }

    pub(crate) fn new(address: SocketAddr, service: Arc<S>) -> Self {
        Self { base_url: format!("http://{address}{}", S::BASE_PATH), service }
    }

    pub(crate) fn service(&self) -> &S {
        &self.service
    }

    pub(crate) fn shared_service(&self) -> Arc<S> {
        Arc::clone(&self.service)
    }
}

impl<S> Clone for Handle<S> {
    fn clone(&self) -> Self {
        Self { base_url: self.base_url.clone(), service: Arc::clone(&self.service) }
    }
}
