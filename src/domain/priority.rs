//! Priorities of vendor calls.

/// Priority of a vendor call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A caller waits for the call.
    Caller,
    /// Background work; yields to caller requests.
    Background,
}
