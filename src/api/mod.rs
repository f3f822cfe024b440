//! The HTTP API: routes, parameters, bodies and the OpenAPI document.
//!
//! The only module that decides which status a caller gets.

mod auth;
mod body;
mod errors;
mod openapi;
mod parameters;
mod response_cache;
mod router;
mod routes;
mod state;

pub use response_cache::{ResponseCache, ResponseCacheBody};
pub use router::{documents, router};
pub use state::{ApiState, Documents};
