//! `GET /livez`, `GET /readyz` and `GET /metrics`: none spends vendor quota.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiState, page};

/// How the gateway is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process lives
///
/// Answers as long as the process can answer at all.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "getLiveness",
    tag = "Operations",
    responses((status = 200, description = "It does.", body = Health)),
)]
pub(super) async fn livez() -> Response {
    healthy()
}

/// Whether the gateway takes requests
///
/// It does once it listens: what it needs was checked at the start.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "Operations",
    responses((status = 200, description = "It does.", body = Health)),
)]
pub(super) async fn readyz() -> Response {
    healthy()
}

/// Metrics
///
/// In Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "Operations",
    responses((status = 200, description = "All metrics.", body = String, content_type = "text/plain")),
)]
pub(super) async fn metrics(State(state): State<ApiState>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.registry.render()).into_response()
}

fn healthy() -> Response {
    page::json(serde_json::to_vec(&Health { status: "ok" }).unwrap_or_default())
}
