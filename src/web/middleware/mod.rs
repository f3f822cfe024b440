//! Middleware. `api/router.rs` lists the layers in order.

pub(crate) mod encode;
pub(crate) mod guarded;
pub(crate) mod load_shed;
pub(crate) mod observe;
pub(crate) mod record;
pub(crate) mod request;
pub(crate) mod span;
pub(crate) mod unread;
