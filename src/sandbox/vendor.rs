//! Interface of a simulated vendor.

use std::{fmt, sync::RwLock};

use fastrand::Rng;
use http::{StatusCode, request::Parts};

use super::{changes::Change, gate::Gate, response::BufferedResponse};

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

    /// Makes a random change in each list.
    fn change(&self, rng: &mut Rng, change: Change);

    /// Returns the response to a request that passed the gate.
    fn route(&self, request: &Parts) -> BufferedResponse;

    /// Returns the vendor's error response for a status that no parameter caused.
    fn error(&self, status: StatusCode, path: &str) -> BufferedResponse;
}

/// Table of rows that change while the vendor runs.
pub trait Store<T> {
    /// Returns the number of rows.
    fn len(&self) -> usize;

    /// Returns all rows in the vendor's order.
    fn to_vec(&self) -> Vec<T>;

    /// Returns the id of the row at an index in the vendor's order.
    fn id_at(&self, index: usize) -> Option<String>;

    /// Adds a row, or replaces the row with the same id.
    fn insert(&mut self, row: T);

    /// Changes a row. Returns false if the id is unknown.
    fn update(&mut self, id: &str, change: impl FnOnce(&mut T)) -> bool;

    /// Removes a row. Returns false if the id is unknown.
    fn remove(&mut self, id: &str) -> bool;

    /// Moves the first row of the default list order to the end, or the last row to the start.
    fn rotate(&mut self, direction: Direction);

    /// Removes the last row of the default list order.
    fn remove_last(&mut self);
}

/// Direction in which a row moves through a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the start to the end.
    Down,
    /// From the end to the start.
    Up,
}
