//! The vocabulary: what a customer, a question and a page are.
//!
//! Pure: no I/O, no HTTP, no vendor. Everything else imports from here, and
//! this imports nothing of the rest.

pub mod connection;
pub mod cursor;
pub mod customer;
pub mod id;
pub mod page;
pub mod parameter;
pub mod position;
pub mod question;
pub mod residual;
pub mod timestamp;
pub mod transaction;
