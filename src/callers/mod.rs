//! Callers: the apps that may send requests, their keys, rights and quotas.

mod access;
mod authenticate;
mod caller;
mod quota;
mod synchronize;

pub use access::Access;
pub use authenticate::{AuthError, Authentication, CallerId, Callers};
pub use caller::{Caller, CallerKey};
pub use quota::{Quota, QuotaStatus};
