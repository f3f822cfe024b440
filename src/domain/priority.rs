//! Priorities of vendor calls.

/// Who a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A caller waits for it.
    Caller,
    /// Nobody waits: it gives way to whoever does.
    Background,
}
