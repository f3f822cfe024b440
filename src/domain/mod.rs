//! The vocabulary: what a customer, a question and a page are.
//!
//! Pure: no I/O, no HTTP, no vendor. Everything else imports from here, and
//! this imports nothing of the rest.

pub mod anchor;
pub mod connection;
pub mod cursor;
pub mod customer;
pub mod cycle;
pub mod filter;
pub mod id;
pub mod page;
pub mod parameter;
pub mod position;
pub mod priority;
pub mod query;
pub mod residual;
pub mod timestamp;
pub mod transaction;
