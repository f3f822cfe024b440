//! Checks every request of the adapters and every response of the sandbox
//! against the vendors' contracts in `openapi/vendors/`.
//!
//! The vendors publish no such documents. The adapters, the sandbox and the
//! contracts were each written from the vendors' documentation and share no
//! code. The contracts are the form that can be read next to that documentation.

mod calls;
mod contract;
mod document;
mod errors;
mod operation;
mod pages;
mod requests;
mod responses;
mod schema;
mod simulated;
mod violations;
