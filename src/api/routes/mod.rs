//! Route handlers, one file per resource.

pub(crate) mod cache;
pub(crate) mod connections;
pub(crate) mod customers;
pub(crate) mod docs;
pub(crate) mod explain;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod problems;
pub(crate) mod transactions;
