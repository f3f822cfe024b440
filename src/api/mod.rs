//! HTTP API: routes, parameters, bodies and the OpenAPI document.
//!
//! Only this module and `web` decide the HTTP status of a response.

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
pub use router::documents;
pub(crate) use router::router;
pub(crate) use state::ApiState;
pub use state::Documents;
