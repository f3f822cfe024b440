//! Vendor calls: admission → queue → breaker → timeout → send → retries.
//!
//! A call that cannot be answered in time is rejected before it is sent. Time in
//! the queue is not part of the call's timeout. An open breaker rejects calls
//! before and in the queue: a vendor that is down costs no slot of the budget.
//! Response bodies are bounded and redirects are not followed. The credential appears
//! in no error and no debug output.

mod attempt;
mod base_url;
mod breaker;
mod budget;
mod bulkhead;
mod call_history;
mod credential;
mod endpoint;
mod error;
mod latency;
mod metrics;
mod pipeline;
mod probe;
mod rate_limit_fields;
mod retry;
mod retry_after;
mod share;
mod transport;

pub use breaker::BreakerState;
pub use budget::{Budget, BudgetRegistry, BudgetScope, BudgetState, RateLimit, Reservation, Waiter, Waiters, Window};
pub use bulkhead::{Bulkheads, VendorWait};
pub use credential::Credential;
pub use endpoint::{Endpoint, Reply};
pub use error::{CallError, SendError};
pub use latency::Latency;
pub use metrics::UpstreamMetrics;
pub use pipeline::Upstream;
pub use share::{CallerShare, Share};
pub use transport::{HttpTransport, Transport};
