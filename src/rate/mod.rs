//! Rate limiting: one GCRA for caller quotas and vendor budgets.
//!
//! The limiter reads no clock. Each operation takes the current instant, as
//! [`Clock::elapsed`](crate::clock::Clock::elapsed) returns it.

mod gcra;

pub use gcra::{Availability, Gcra, Rate, Usage};
