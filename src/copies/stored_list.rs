//! Complete list in memory.

/// Complete list in memory.
#[derive(Debug, Default)]
pub struct StoredList {}
