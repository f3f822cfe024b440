//! Requests for a page of a list.

use crate::{cache::CacheDirectives, domain::connection::ConnectionName, upstream::CallerShare};

use super::Deadline;

/// Request for a page of a list.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Connections of the list, in configuration order.
    pub connections: Vec<ConnectionName>,
    /// True if the caller named the connections. A connection that the caller
    /// did not name is skipped if its vendor has no such list.
    pub are_named: bool,
    /// True if connections that do not support the query are skipped.
    pub is_lenient: bool,
    /// True if failed connections are skipped.
    pub allows_partial: bool,
    /// Maximum number of vendor calls, if the caller sets one. The configured
    /// maximum still applies.
    pub max_calls: Option<u32>,
    /// Maximum number of rows.
    pub limit: usize,
    /// Cursor of the page; `None` for the first page.
    pub cursor: Option<String>,
    /// The caller's freshness requirements.
    pub directives: CacheDirectives,
    /// The caller, with its share of the vendor budgets.
    pub caller: CallerShare,
    /// Instant by which the response must be complete.
    pub deadline: Deadline,
}

impl PageRequest {
    /// Creates a request for the first page of a list.
    #[must_use]
    pub fn first(connections: Vec<ConnectionName>, limit: usize) -> Self {
        Self {
            connections,
            are_named: true,
            is_lenient: false,
            allows_partial: false,
            max_calls: None,
            limit,
            cursor: None,
            directives: CacheDirectives::default(),
            caller: CallerShare::unrestricted(),
            deadline: Deadline::none(),
        }
    }
}
