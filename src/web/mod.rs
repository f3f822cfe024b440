//! HTTP conventions shared by every route: problems, query strings,
//! conditional requests, preferences, static assets and middleware.

pub(crate) mod asset;
pub(crate) mod conditional;
pub mod middleware;
pub(crate) mod prefer;
pub mod problem;
pub(crate) mod query;
