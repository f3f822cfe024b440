//! HTTP conventions of every route: problems, query strings, conditional
//! requests, freshness, content codings, preferences, quotas, links, static assets and middleware.

pub(crate) mod asset;
pub(crate) mod body_parts;
pub(crate) mod cache_control;
pub(crate) mod coding;
pub(crate) mod conditional;
pub(crate) mod cors;
pub(crate) mod freshness;
pub(crate) mod link;
pub(crate) mod list_value;
pub(crate) mod middleware;
pub(crate) mod prefer;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod rate_limit;
