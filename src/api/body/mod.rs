//! Response bodies: pages, exports, explanations and reports on sources, vendors
//! and stored lists.

pub(crate) mod explanation;
pub(crate) mod export;
pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod rejection;
pub(crate) mod sources;
pub(crate) mod sync;
pub(crate) mod upstream;
