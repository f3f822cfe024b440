//! State of a connection's rate limit and circuit breaker.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    clock::ceil_seconds,
    upstream::{BreakerState, BudgetScope, CallerShare, Upstream},
};

/// The rate budget of a vendor credential. Connections with the same credential
/// share one budget.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Budget {
    /// The number of vendor calls allowed immediately. With the scope `replicas`, as of
    /// this replica's last call.
    #[schema(example = 5)]
    remaining: u32,
    /// The number of vendor calls that your share of the budget allows
    /// immediately. Null if you are not limited to a share.
    #[schema(value_type = Option<i64>, example = json!(null))]
    share_remaining: Option<u32>,
    /// The number of vendor calls waiting for a slot.
    #[schema(example = 0)]
    waiting: u32,
    /// The time in seconds until the vendor accepts this credential again. Null
    /// if the vendor accepts the credential.
    #[schema(value_type = Option<i64>, example = json!(null))]
    blocked_for: Option<u64>,
    /// The calls that count for the limit. `process`: the calls of this process.
    /// `replicas`: the calls of all replicas of the gateway. `part`: the calls of
    /// this replica, which uses its part of the limit because the shared state is
    /// unavailable.
    #[schema(example = "process", extensions(("x-extensible-enum" = json!(["process", "replicas", "part"]))))]
    scope: &'static str,
}

/// The circuit breaker of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Breaker {
    /// The state. `closed`: requests are sent to the vendor. `open`: requests are
    /// rejected. `half_open`: one probe is allowed.
    #[schema(example = "closed", extensions(("x-extensible-enum" = json!(["closed", "open", "half_open"]))))]
    state: &'static str,
    /// The time in seconds until the next probe. Null unless the breaker is `open`.
    #[schema(value_type = Option<i64>, example = json!(null))]
    retry_after: Option<u64>,
}

impl Budget {
    /// Reads the budget of a connection and the caller's share of it.
    pub(crate) fn new(upstream: &Upstream, caller: &CallerShare) -> Self {
        let state = upstream.budget();
        Self {
            remaining: state.remaining,
            share_remaining: upstream.share_remaining(caller),
            waiting: state.waiting,
            blocked_for: state.blocked_for.map(ceil_seconds),
            scope: match state.scope {
                BudgetScope::Process => "process",
                BudgetScope::Replicas => "replicas",
                BudgetScope::Part => "part",
            },
        }
    }
}

impl From<BreakerState> for Breaker {
    fn from(state: BreakerState) -> Self {
        match state {
            BreakerState::Closed => Self { state: "closed", retry_after: None },
            BreakerState::Open(remaining) => Self { state: "open", retry_after: Some(ceil_seconds(remaining)) },
            BreakerState::HalfOpen => Self { state: "half_open", retry_after: None },
        }
    }
}
