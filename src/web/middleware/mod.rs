//! Middleware. `api/router.rs` lists the layers in their order.

pub mod load_shed;
pub(crate) mod observe;
pub(crate) mod record;
pub(crate) mod request;
pub(crate) mod span;
