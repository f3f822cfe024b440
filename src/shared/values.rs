//! Small values that one replica writes and another reads.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;

/// Lifetime of a value, from its last use on.
pub const VALUE_LIFETIME: Duration = Duration::from_hours(1);

/// Kind of a value. Values of different kinds have different names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Cursor that is too long to send.
    Cursor,
    /// Step of a walk from a page to its predecessor.
    Step,
}

/// Values with names. The names are hashed, and the values are encrypted. A value that
/// cannot be stored or read is missing, and nothing fails.
#[async_trait]
pub trait Values: Send + Sync + Debug {
    /// Stores a value, and waits for the result for at most the configured timeout.
    async fn put(&self, kind: ValueKind, name: &[&[u8]], value: Vec<u8>);

    /// Stores a value in the background. Without enough memory for waiting values, the
    /// value is dropped.
    fn put_in_background(&self, kind: ValueKind, name: &[&[u8]], value: Vec<u8>);

    /// Returns a value and extends its lifetime. Waits for at most the configured
    /// timeout.
    async fn get(&self, kind: ValueKind, name: &[&[u8]]) -> Option<Vec<u8>>;
}
