//! Vendor calls: breaker → deadline → retries → budget → send.
//!
//! The breaker comes first: a vendor that is down costs neither time nor a slot
//! of the budget. Response bodies are bounded and redirects are not followed.
//! The credential appears in no error and no debug output.

mod attempt;
mod base_url;
mod breaker;
mod budget;
mod credential;
mod endpoint;
mod error;
mod metrics;
mod pipeline;
mod rate_limit_fields;
mod retry;
mod retry_after;
mod share;
mod transport;

pub use breaker::BreakerState;
pub use budget::{Budget, BudgetRegistry, BudgetState, RateLimit};
pub use credential::Credential;
pub use endpoint::{Endpoint, Reply};
pub use error::{CallError, SendError};
pub use metrics::UpstreamMetrics;
pub use pipeline::Upstream;
pub use share::{CallerShare, Share};
pub use transport::{HttpTransport, Transport};
