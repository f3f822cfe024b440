//! Priorities of vendor calls.

/// Priority of a vendor call, highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A caller waits for the call.
    Caller,
    /// Refresh of a cached page. A small part of the rate limit is reserved for
    /// refreshes.
    Refresh,
    /// Export of a whole list. Uses slots that no other call wants.
    Export,
}
