//! Callers: the apps that may send requests, their keys, rights and quotas.

mod access;
mod authenticate;
mod caller;
mod error;
mod quota;
mod remembered;
mod synchronize;

pub use access::Access;
pub use authenticate::{Authentication, CallerId, Callers};
pub use caller::{Caller, CallerKey};
pub use error::AuthError;
pub use quota::{Quota, QuotaStatus};
pub use remembered::RememberedCaller;
