//! Domain types: queries, records, pages, positions and cursors.
//!
//! This module does no I/O and knows no HTTP and no vendor. It imports no other
//! module of the gateway.

pub mod anchor;
pub mod batch;
pub mod connection;
pub mod cursor;
pub mod customer;
pub mod cycle;
pub(crate) mod digits;
pub mod field_policy;
pub mod filter;
pub mod fold;
pub mod id;
pub mod json;
pub mod page;
pub mod parameter;
pub mod position;
pub mod priority;
pub mod progress;
pub mod projection;
pub mod query;
pub mod record;
pub mod referral;
pub mod residual;
pub mod timestamp;
pub mod transaction;
