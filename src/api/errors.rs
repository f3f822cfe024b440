//! Conversions of internal errors to problems.

use std::time::Duration;

use crate::{
    callers::AuthError,
    directory::{DirectoryError, SourceError},
    domain::{connection::ConnectionName, cursor::CursorError, parameter::Parameter},
    http_client::BodyError,
    identity::TokenError,
    upstream::SendError,
    vendors::{Refusal, RefusalKind, VendorError, plan::PlanError},
    web::problem::{Code, Problem, VendorAnswer},
};

/// `Retry-After` for a vendor's rate limit without a time, and for a lack of
/// resources of this machine.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        let detail = error.to_string();
        match error {
            // The connection comes from an id. Names in `connection` are checked earlier.
            DirectoryError::UnknownConnection(name) => Self::new(Code::ConnectionNotFound, detail).connection(name),
            DirectoryError::OrderTooExpensive { connection, native, .. } => {
                Self::new(Code::OrderTooExpensive, detail + "; add a filter or remove `order`")
                    .parameter(Parameter::Order.name())
                    .connection(connection.to_string())
                    .supported(native)
            }
            DirectoryError::MergeTooExpensive { .. } => {
                Self::new(Code::OrderTooExpensive, detail + "; name fewer connections or values, or remove `order`")
                    .parameter(Parameter::Order.name())
            }
            DirectoryError::Plan(connection, error) => from_plan_error(&connection, error),
            DirectoryError::Cursor(error) => {
                let (code, detail) = match error {
                    CursorError::Invalid => (Code::InvalidCursor, detail),
                    CursorError::Mismatch => (Code::CursorMismatch, detail),
                    CursorError::Backward => (Code::InvalidParameter, detail),
                    CursorError::NotKept => (Code::CursorExpired, detail + "; start again without `cursor`"),
                };
                Self::new(code, detail).parameter("cursor")
            }
            DirectoryError::CursorExpired(connection) => {
                Self::new(Code::CursorExpired, detail + "; start again without `cursor`")
                    .parameter("cursor")
                    .connection(connection.to_string())
            }
            DirectoryError::Circular(connection) | DirectoryError::Truncated(connection, _) => {
                Self::new(Code::VendorUnreadable, detail).connection(connection.to_string())
            }
            DirectoryError::Customer(_, error) => Self::from(*error).detail(detail).parameter("id"),
            DirectoryError::DeadlineExceeded => Self::new(Code::DeadlineExceeded, detail),
            DirectoryError::NotFound => Self::new(Code::CustomerNotFound, "there is no such customer"),
            DirectoryError::Source(connection, error) => {
                from_source_error(error, detail).connection(connection.to_string())
            }
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let detail = error.to_string();
        match error {
            AuthError::Token(error) => error.into(),
            AuthError::QuotaExceeded { retry_after, .. } => {
                Self::new(Code::QuotaExceeded, detail).retry_after(retry_after)
            }
            AuthError::MissingHeader | AuthError::NotBearer => Self::new(Code::Unauthenticated, detail),
            AuthError::KeyExpired | AuthError::UnknownKey => {
                Self::new(Code::Unauthenticated, detail).credential_rejected()
            }
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let detail = error.to_string();
        match error {
            TokenError::Unavailable { retry_after } | TokenError::TooManyWaiting { retry_after, .. } => {
                Self::new(Code::IdentityUnavailable, detail).retry_after(retry_after)
            }
            TokenError::Unreadable
            | TokenError::RepeatedMember
            | TokenError::NoKey
            | TokenError::InvalidSignature
            | TokenError::MissingClaim
            | TokenError::Issuer
            | TokenError::Audience
            | TokenError::Expired
            | TokenError::NotYetValid
            | TokenError::NoMatchingCaller => Self::new(Code::Unauthenticated, detail).credential_rejected(),
        }
    }
}

fn from_plan_error(connection: &ConnectionName, error: PlanError) -> Problem {
    let detail = error.to_string();
    match error {
        PlanError::Unsupported { parameter, value, supported } => {
            let rejected = value.map_or(format!("`{parameter}`"), |value| format!("`{parameter}={value}`"));
            Problem::new(Code::UnsupportedFilter, format!("the connection `{connection}` does not support {rejected}"))
                .parameter(parameter.name())
                .supported(supported)
        }
        PlanError::CommaInList { parameter } => {
            Problem::new(Code::InvalidParameter, detail).parameter(parameter.name())
        }
        PlanError::NoSuchOperation => {
            let detail = format!("the vendor of the connection `{connection}` does not support this operation");
            Problem::new(Code::UnsupportedOperation, detail)
        }
    }
    .connection(connection.to_string())
}

fn from_source_error(error: SourceError, detail: String) -> Problem {
    match error {
        SourceError::Vendor { error, retry_after, .. } => from_vendor_error(error, retry_after, detail),
        SourceError::Send(SendError::BudgetSpent { retry_after }) => {
            Problem::new(Code::VendorRateLimited, detail).retry_after(retry_after)
        }
        SourceError::Send(SendError::ShareSpent { retry_after }) => {
            Problem::new(Code::QuotaExceeded, detail).retry_after(retry_after)
        }
        SourceError::Send(SendError::BreakerOpen { retry_after } | SendError::Paused { retry_after }) => {
            Problem::new(Code::VendorUnavailable, detail).retry_after(retry_after)
        }
        SourceError::Send(
            SendError::Local(_)
            | SendError::TooManyWaiting
            | SendError::Body(BodyError::MemoryLimit(_) | BodyError::Local(_)),
        ) => Problem::new(Code::Overloaded, detail).retry_after(DEFAULT_RETRY_AFTER),
        SourceError::NotCached => Problem::new(Code::NotCached, detail),
        SourceError::Send(SendError::TimedOut(_)) => Problem::new(Code::DeadlineExceeded, detail),
        SourceError::Send(SendError::Unreachable(_) | SendError::Body(BodyError::Interrupted(_))) => {
            Problem::new(Code::VendorError, detail)
        }
        SourceError::Send(SendError::Body(
            BodyError::TooLarge(_) | BodyError::UnknownCoding(_) | BodyError::Undecodable(_),
        )) => Problem::new(Code::VendorUnreadable, detail),
        SourceError::Aborted | SourceError::Send(SendError::Abandoned) => Problem::new(Code::Internal, detail),
    }
}

fn from_vendor_error(error: VendorError, retry_after: Option<Duration>, detail: String) -> Problem {
    let (kind, refusal) = match error {
        VendorError::NotFound => return Problem::new(Code::CustomerNotFound, detail),
        VendorError::Unreadable(_) => return Problem::new(Code::VendorUnreadable, detail),
        VendorError::Refused { kind, refusal } => (kind, refusal),
    };
    let problem = match kind {
        RefusalKind::CursorRejected => Problem::new(Code::CursorExpired, detail).parameter("cursor"),
        RefusalKind::ValueRejected(parameter) => {
            Problem::new(Code::InvalidParameter, detail).parameter(parameter.name())
        }
        RefusalKind::RequestRejected => Problem::new(Code::VendorRejected, detail),
        RefusalKind::Unauthorized => Problem::new(Code::VendorUnauthorized, detail),
        RefusalKind::RateLimited => {
            Problem::new(Code::VendorRateLimited, detail).retry_after(retry_after.unwrap_or(DEFAULT_RETRY_AFTER))
        }
        RefusalKind::Failed { .. } => {
            let problem = Problem::new(Code::VendorError, detail);
            retry_after.into_iter().fold(problem, Problem::retry_after)
        }
    };
    with_vendor_answer(problem, refusal)
}

fn with_vendor_answer(problem: Problem, Refusal { status, code, message }: Refusal) -> Problem {
    problem.vendor(VendorAnswer { status, code, message })
}
