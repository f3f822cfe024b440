//! `GET /livez`, `GET /readyz` and `GET /metrics`: none spends vendor quota.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{directory::Source, telemetry::metrics::Registry, upstream::BreakerState};

use super::{ApiState, page, problem::documented::OpenProblems};

/// How the gateway is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`: a gateway that is not does not answer so.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Check liveness
///
/// Whether the process lives: it answers as long as it can answer at all.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "getLiveness",
    tag = "Operations",
    responses((status = 200, description = "It does: `ok`.", body = Health), OpenProblems),
)]
pub(super) async fn livez() -> Response {
    healthy()
}

/// Check readiness
///
/// Whether the gateway takes requests: it does once it listens, since what it
/// needs was checked at the start.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "Operations",
    responses((status = 200, description = "It does: `ok`.", body = Health), OpenProblems),
)]
pub(super) async fn readyz() -> Response {
    healthy()
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
pub(super) async fn metrics(State(state): State<ApiState>) -> Response {
    for source in state.directory.sources() {
        look_at(&state.registry, source);
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.registry.render()).into_response()
}

/// Sets the gauges of what is not counted as it happens.
fn look_at(registry: &Registry, source: &Source) {
    let labels = &[("connection", source.name().as_str())];
    let budget = source.upstream().budget();
    let stopped = budget.stopped.unwrap_or_default().as_secs_f64();
    let open = match source.upstream().breaker() {
        BreakerState::Closed => 0.0,
        BreakerState::HalfOpen => 0.5,
        BreakerState::Open(_) => 1.0,
    };
    let gauges = [
        ("gateway_budget_left", "Vendor calls that would be let pass at once.", f64::from(budget.left)),
        ("gateway_budget_waiting", "Vendor calls that wait for a place.", f64::from(budget.waiting)),
        ("gateway_budget_stopped_seconds", "For how long the vendor has stopped the credential.", stopped),
        ("gateway_breaker_open", "The breaker: 0 closed, 0.5 half-open, 1 open.", open),
    ];
    for (name, help, value) in gauges {
        registry.gauge(name, help, labels).set(value);
    }
    for (caller, left) in source.upstream().shares_left() {
        let help = "Vendor calls that a caller's share of the budget would let pass at once.";
        let labels = &[("caller", &*caller), ("connection", source.name().as_str())];
        registry.gauge("gateway_caller_share_left", help, labels).set(left);
    }
}

fn healthy() -> Response {
    page::json(serde_json::to_vec(&Health { status: "ok" }).unwrap_or_default())
}
