//! Facts recorded about a request and its response.

use std::sync::Arc;

use http::StatusCode;

use crate::{cache::CacheStatus, directory::Freshness};

/// Labels of a request in logs, metrics and spans.
#[derive(Debug, Clone)]
pub(crate) struct RequestLabels {
    /// Template of the route.
    pub(crate) route: Arc<str>,
    /// Name of the caller.
    pub(crate) caller: Arc<str>,
    /// Names of the connections, joined by commas.
    pub(crate) connections: Arc<str>,
}

/// Cache outcome and vendor-call count, attached to the response by handlers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResponseOrigin {
    /// Cache outcome: `hit`, `stale`, `collapsed` or `miss`.
    pub(crate) cache: &'static str,
    /// Number of vendor calls made for the response.
    pub(crate) vendor_calls: u32,
}

/// Outcome of a request.
#[derive(Debug)]
pub(crate) struct RequestOutcome<'r> {
    /// Status of the response.
    pub(crate) status: StatusCode,
    /// Id of the request.
    pub(crate) request_id: &'r str,
    /// Code of the problem, if the response is a problem.
    pub(crate) code: Option<&'static str>,
    /// Origin of the response, if it contains vendor pages.
    pub(crate) origin: Option<ResponseOrigin>,
}

impl From<&Freshness> for ResponseOrigin {
    fn from(freshness: &Freshness) -> Self {
        Self { cache: cache_outcome(&freshness.status), vendor_calls: freshness.calls }
    }
}

fn cache_outcome(status: &CacheStatus) -> &'static str {
    match (status.forward, status.detail) {
        (None, None) => "hit",
        (_, Some(_)) => "stale",
        (Some(forward), None) if forward.collapsed => "collapsed",
        (Some(_), None) => "miss",
    }
}
