//! Configured limits of lists.

/// Limits of lists and exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of vendor calls of a request. Does not include the calls
    /// of a full scan, unless the caller sets a maximum.
    pub max_calls: u32,
    /// Maximum number of rows that a list sorts for each connection.
    pub max_sorted_rows: u32,
    /// Maximum number of rows that an export sorts for each connection.
    pub max_export_sorted_rows: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_calls: 20, max_sorted_rows: 50_000, max_export_sorted_rows: 100_000 }
    }
}
