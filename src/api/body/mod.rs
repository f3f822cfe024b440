//! Response bodies: pages, source reports and export streams.

pub(crate) mod export;
pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod sources;
