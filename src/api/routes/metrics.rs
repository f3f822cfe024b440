//! `GET /metrics`: metrics in Prometheus' text format.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header::CONTENT_TYPE;

use crate::{
    api::{openapi::problems::PublicProblems, state::ApiState},
    copies::ListCopy,
    directory::Source,
    telemetry::metrics::GaugeSample,
    upstream::BreakerState,
    web::middleware::load_shed::ConcurrencyLimit,
};

/// Get metrics
///
/// Returns all metrics in Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "Operations",
    responses((status = 200, description = "The metrics. `docs/METRICS.md` describes each metric.", body = String, content_type = "text/plain"), PublicProblems),
)]
pub(crate) async fn get_metrics(State(state): State<ApiState>) -> Response {
    let connections = state.directory.sources().flat_map(connection_gauges);
    let shares = state.directory.sources().flat_map(share_gauges);
    let lists = state.directory.sources().flat_map(|source| list_gauges(source, &state));
    let gauges = request_gauges(&state.concurrency).into_iter().chain(connections).chain(shares).chain(lists);
    state.registry.update_gauges(gauges);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.registry.render()).into_response()
}

fn request_gauges(limit: &ConcurrencyLimit) -> [GaugeSample; 2] {
    [
        ("gateway_requests_in_flight", "Requests in progress, including exports.", limit.in_use()),
        ("gateway_requests_limit", "Maximum number of requests in progress.", limit.max()),
    ]
    .map(|(name, help, value)| GaugeSample { name, help, labels: Vec::new(), value: value.into() })
}

fn connection_gauges(source: &Source) -> [GaugeSample; 4] {
    let budget = source.upstream().budget();
    let blocked = budget.blocked_for.unwrap_or_default().as_secs_f64();
    let breaker = match source.upstream().breaker() {
        BreakerState::Closed => 0.0,
        BreakerState::HalfOpen => 0.5,
        BreakerState::Open(_) => 1.0,
    };
    [
        ("gateway_budget_remaining", "Vendor calls allowed immediately.", budget.remaining.into()),
        ("gateway_budget_waiting", "Vendor calls waiting for a slot.", budget.waiting.into()),
        ("gateway_budget_blocked_seconds", "Time until the vendor accepts the credential again.", blocked),
        ("gateway_breaker_open", "State of the circuit breaker: 0 closed, 0.5 half-open, 1 open.", breaker),
    ]
    .map(|(name, help, value)| GaugeSample {
        name,
        help,
        labels: vec![("connection", source.name().to_string())],
        value,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and 2^53 rows do not fit into memory")]
fn list_gauges(source: &Source, state: &ApiState) -> Vec<GaugeSample> {
    let Some(copies) = source.copies() else { return Vec::new() };
    let now = state.clock.elapsed();
    let gauges = |list: &Arc<ListCopy>| {
        let (status, age) = (list.status(), list.age(now).map_or(f64::NAN, |age| age.as_secs_f64()));
        let labels = [("connection", source.name().to_string()), ("resource", list.resource.name().to_owned())];
        [
            ("gateway_sync_rows", "Rows of the stored list.", status.rows as f64),
            ("gateway_sync_bytes", "Memory of the stored list.", status.bytes as f64),
            ("gateway_sync_age_seconds", "Age of the stored list; NaN without a list.", age),
            (
                "gateway_sync_max_age_seconds",
                "Age of a stored list from which on the vendor answers.",
                copies.settings.max_age.as_secs_f64(),
            ),
        ]
        .map(|(name, help, value)| GaugeSample { name, help, labels: labels.to_vec(), value })
    };
    copies.lists().iter().flat_map(gauges).collect()
}

fn share_gauges(source: &Source) -> impl Iterator<Item = GaugeSample> {
    source.upstream().shares_remaining().into_iter().map(|(caller, remaining)| GaugeSample {
        name: "gateway_caller_share_remaining",
        help: "Vendor calls that the caller's share allows immediately.",
        labels: vec![("caller", caller.to_string()), ("connection", source.name().to_string())],
        value: remaining.into(),
    })
}
