//! Vendor adapters: translation of calls into vendor requests, and of vendor
//! responses into record pages.
//!
//! An adapter is synchronous and does no I/O. The same adapter therefore runs
//! in the gateway, in snapshot tests and in benchmarks. Wire types stay private
//! to each vendor's folder. `docs/ADDING_A_VENDOR.md` describes how to add a
//! vendor.

mod adapter;
mod call;
pub mod capabilities;
mod classify;
mod corporation;
pub mod documented;
mod error_body;
mod json;
pub mod kind;
mod meaning;
pub mod plan;
mod prefilter;
mod query;
mod records;
mod refusal;
pub mod registry;
mod tolt;
mod wire;

pub use adapter::{Account, ResponseBody, Vendor};
pub use call::{Call, VendorRequest, VendorResponse};
pub use meaning::Meaning;
pub use refusal::{Refusal, RefusalKind, VendorError, VendorRefusal};

/// Number of rows that a list request asks for: the largest page of either
/// vendor. The gateway serves smaller pages from it.
pub const PAGE_SIZE: usize = 100;
