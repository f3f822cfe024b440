//! `GET /livez`, `GET /readyz` and `GET /metrics`: none spends vendor quota.

use std::time::Duration;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        body::page,
        openapi::problems::{GetReadinessProblems, OpenProblems},
        routes::connections::Breaker,
        state::ApiState,
    },
    directory::Source,
    telemetry::metrics::GaugeSample,
    upstream::BreakerState,
    web::problem::{Code, Problem},
};

/// When to ask again whether it is.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// That the gateway lives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Liveness {
    /// Always `ok`: a gateway that does not live does not answer.
    #[schema(example = "ok")]
    status: &'static str,
}

/// That the gateway takes requests, and what can be served.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadinessReport<'c> {
    /// `ok`, or `degraded` where a vendor fails.
    #[schema(example = "ok", extensions(("x-extensible-enum" = json!(["ok", "degraded"]))))]
    status: &'static str,
    /// How each connection is, in the configuration's order.
    connections: Vec<ConnectionReadiness<'c>>,
}

/// How a connection is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionReadiness<'c> {
    /// Its name.
    #[schema(example = "affiliates")]
    name: &'c str,
    /// `ok`; `degraded` where its vendor fails, and what is kept of it may still
    /// be served; `failing` where nothing is kept.
    #[schema(example = "ok", extensions(("x-extensible-enum" = json!(["ok", "degraded", "failing"]))))]
    status: &'static str,
    /// Whether its vendor is asked.
    breaker: Breaker,
}

impl<'c> ConnectionReadiness<'c> {
    fn of(source: &'c Source) -> Self {
        let breaker = source.upstream().breaker();
        let status = match breaker {
            BreakerState::Open(_) if source.has_usable_entry() => "degraded",
            BreakerState::Open(_) => "failing",
            BreakerState::Closed | BreakerState::HalfOpen => "ok",
        };
        Self { name: source.name().as_str(), status, breaker: Breaker::of(breaker) }
    }
}

/// Check liveness
///
/// Whether the process lives: it answers as long as it can answer at all.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "getLiveness",
    tag = "Operations",
    responses((status = 200, description = "It does: `ok`.", body = Liveness), OpenProblems),
)]
pub(crate) async fn livez() -> Response {
    page::json(serde_json::to_vec(&Liveness { status: "ok" }).unwrap_or_default())
}

/// Check readiness
///
/// Whether the gateway takes requests, and how each connection is. It does from
/// when it listens until it is told to stop, unless nothing can be served: every
/// vendor fails, and nothing of theirs is kept. Asks no vendor.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "Operations",
    responses((status = 200, description = "It does: how each connection is.", body = ReadinessReport), GetReadinessProblems),
)]
pub(crate) async fn readyz(State(state): State<ApiState>) -> Result<Response, Problem> {
    if state.readiness.is_withdrawn() {
        return Err(Problem::new(Code::NotReady, "the gateway is stopping").retry_after(RETRY_AFTER));
    }
    let connections: Vec<_> = state.directory.sources().map(ConnectionReadiness::of).collect();
    if connections.iter().all(|connection| connection.status == "failing") {
        let names: Vec<_> = connections.iter().map(|connection| format!("`{}`", connection.name)).collect();
        let detail = format!("the vendors of {} fail, and nothing of theirs is kept", names.join(", "));
        return Err(Problem::new(Code::NotReady, detail).retry_after(RETRY_AFTER));
    }
    let is_well = connections.iter().all(|connection| connection.status == "ok");
    let report = ReadinessReport { status: if is_well { "ok" } else { "degraded" }, connections };
    Ok(page::json(serde_json::to_vec(&report).unwrap_or_default()))
}

/// Read the metrics
///
/// All of them, in Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "Operations",
    responses((status = 200, description = "All metrics; docs/ lists them.", body = String, content_type = "text/plain"), OpenProblems),
)]
pub(crate) async fn metrics(State(state): State<ApiState>) -> Response {
    state.registry.update_gauges(state.directory.sources().flat_map(samples));
    let requests = [
        ("gateway_requests_in_flight", "Requests that are worked on.", state.concurrency.taken()),
        ("gateway_requests_limit", "Requests that may be worked on at once.", state.concurrency.count()),
    ];
    for (name, help, value) in requests {
        state.registry.gauge(name, help, &[]).set(value);
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.registry.render()).into_response()
}

/// Samples the gauges of a connection.
fn samples(source: &Source) -> Vec<GaugeSample> {
    let budget = source.upstream().budget();
    let blocked = budget.blocked_for.unwrap_or_default().as_secs_f64();
    let open = match source.upstream().breaker() {
        BreakerState::Closed => 0.0,
        BreakerState::HalfOpen => 0.5,
        BreakerState::Open(_) => 1.0,
    };
    let connection = source.name().as_str();
    let gauges = [
        ("gateway_budget_remaining", "Vendor calls that would be let pass at once.", budget.remaining.into()),
        ("gateway_budget_waiting", "Vendor calls that wait for a place.", budget.waiting.into()),
        ("gateway_budget_blocked_seconds", "For how long the vendor has stopped the credential.", blocked),
        ("gateway_breaker_open", "The breaker: 0 closed, 0.5 half-open, 1 open.", open),
    ];
    let gauges = gauges.map(|(name, help, value)| {
        let labels = vec![("connection", connection.to_owned())];
        GaugeSample { name, help, labels, value }
    });
    let shares = source.upstream().shares_remaining().into_iter().map(|(caller, remaining)| GaugeSample {
        name: "gateway_caller_share_remaining",
        help: "Vendor calls that a caller's share of the budget would let pass at once.",
        labels: vec![("caller", caller.to_string()), ("connection", connection.to_owned())],
        value: remaining.into(),
    });
    gauges.into_iter().chain(shares).collect()
}
