//! `GET /livez` and `GET /readyz`. Neither makes a vendor call.

use std::time::Duration;

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        body::{page, upstream::Breaker},
        openapi::problems::{GetReadinessProblems, PublicProblems},
        state::ApiState,
    },
    directory::Source,
    upstream::BreakerState,
    web::problem::{Code, Problem},
};

/// `Retry-After` of a gateway that is not ready.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The liveness of the process.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Liveness {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// The readiness of the gateway and of its connections.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadinessReport<'c> {
    /// `ok`, or `degraded` if the status of any connection is not `ok`.
    #[schema(example = "ok", extensions(("x-extensible-enum" = json!(["ok", "degraded"]))))]
    status: &'static str,
    /// The status of each connection, in configuration order.
    connections: Vec<ConnectionReadiness<'c>>,
}

/// The status of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionReadiness<'c> {
    /// The name of the connection.
    #[schema(example = "affiliates")]
    name: &'c str,
    /// `ok`: requests are sent to the vendor. `degraded`: the vendor fails, and
    /// cached responses are served. `failing`: the vendor fails, and no usable
    /// response is cached.
    #[schema(example = "ok", extensions(("x-extensible-enum" = json!(["ok", "degraded", "failing"]))))]
    status: &'static str,
    /// The circuit breaker of the connection.
    breaker: Breaker,
}

/// Check liveness
///
/// Returns 200 as long as the process can respond.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "getLiveness",
    tag = "Operations",
    responses((status = 200, description = "The process is alive.", body = Liveness), PublicProblems),
)]
pub(crate) async fn livez() -> Response {
    page::json(serde_json::to_vec(&Liveness { status: "ok" }).unwrap_or_default())
}

/// Check readiness
///
/// Returns 200 while the gateway accepts requests, with the status of each
/// connection. Returns 503 once the gateway shuts down, or if every vendor fails
/// and no usable response is cached. Makes no vendor call.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "Operations",
    responses((status = 200, description = "The gateway is ready.", body = ReadinessReport), GetReadinessProblems),
)]
pub(crate) async fn readyz(State(state): State<ApiState>) -> Result<Response, Problem> {
    if state.readiness.is_withdrawn() {
        return Err(Problem::new(Code::NotReady, "the gateway is shutting down").retry_after(RETRY_AFTER));
    }
    let connections: Vec<_> = state.directory.sources().map(ConnectionReadiness::new).collect();
    if connections.iter().all(|connection| connection.status == "failing") {
        let names: Vec<_> = connections.iter().map(|connection| format!("`{}`", connection.name)).collect();
        let detail = format!("the vendors of {} fail, and no usable response is cached", names.join(", "));
        return Err(Problem::new(Code::NotReady, detail).retry_after(RETRY_AFTER));
    }
    let is_ok = connections.iter().all(|connection| connection.status == "ok");
    let report = ReadinessReport { status: if is_ok { "ok" } else { "degraded" }, connections };
    Ok(page::json(serde_json::to_vec(&report).unwrap_or_default()))
}

impl<'c> ConnectionReadiness<'c> {
    fn new(source: &'c Source) -> Self {
        let breaker = source.upstream().breaker();
        let status = match breaker {
            BreakerState::Open(_) if source.has_usable_entry() => "degraded",
            BreakerState::Open(_) => "failing",
            BreakerState::Closed | BreakerState::HalfOpen => "ok",
        };
        Self { name: source.name().as_str(), status, breaker: breaker.into() }
    }
}
