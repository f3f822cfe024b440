//! The vendors' contracts as we understand them, `openapi/vendors/`, hold for
//! every request that an adapter can make and for every answer of the sandbox.
//!
//! The sandbox and the adapters were each written from the vendors' pages and
//! share no code; the contracts are the third reading, and the one that can be
//! read beside the pages.

mod answers;
mod asked;
mod contract;
mod document;
mod errors;
mod operation;
mod pages;
mod requests;
mod schema;
mod simulated;
mod strays;
