//! Interface of a simulated vendor.

use std::{fmt, sync::RwLock};

use http::{StatusCode, request::Parts};

use super::{gate::Gate, response::BufferedResponse};

/// Simulated API of one vendor.
pub trait Vendor: fmt::Debug + Send + Sync + 'static {
    /// Path that precedes the vendor's routes.
    const BASE_PATH: &'static str;

    /// Customer object of the vendor.
    type Customer;
    /// Table of the vendor's customers.
    type Customers: Store<Self::Customer>;

    /// Returns the gate in front of the vendor's routes.
    fn gate(&self) -> &Gate;

    /// Returns the vendor's customers.
    fn customers(&self) -> &RwLock<Self::Customers>;

    /// Returns the response to a request that passed the gate.
    fn route(&self, request: &Parts) -> BufferedResponse;

    /// Returns the vendor's error response for a status that no parameter caused.
    fn error(&self, status: StatusCode, path: &str) -> BufferedResponse;
}

/// Table of rows that tests can change.
pub trait Store<T> {
    /// Returns all rows in the vendor's order.
    fn to_vec(&self) -> Vec<T>;

    /// Adds a row, or replaces the row with the same id.
    fn insert(&mut self, row: T);

    /// Removes a row. Returns false if the id is unknown.
    fn remove(&mut self, id: &str) -> bool;
}
