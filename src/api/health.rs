//! `GET /livez` and `GET /readyz`: neither spends vendor quota.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::page;

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

fn healthy() -> Response {
    page::json(serde_json::to_vec(&Health { status: "ok" }).unwrap_or_default())
}
