//! Failure of an operation on shared state.

/// Reason why shared state cannot be read or changed now. No message contains an
/// address, a credential or a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The connection is lost, or several operations have failed. The operation was
    /// not sent.
    #[error("the connection to Redis is lost")]
    Lost,
    /// The server did not respond within the configured timeout.
    #[error("Redis did not respond in time")]
    TimedOut,
    /// The connection failed during the operation.
    #[error("the connection to Redis failed")]
    Disconnected,
    /// The server rejected the operation.
    #[error("Redis rejected the operation with `{0}`")]
    Rejected(String),
    /// The server's response is not a response of the operation.
    #[error("the response of Redis is unreadable")]
    Unreadable,
}
