//! `GET /openapi.json` and `GET /openapi-3.0.json`.

use std::sync::OnceLock;

use axum::{extract::State, response::Response};
use http::HeaderMap;

use crate::{
    api::{openapi::problems::OpenProblems, state::ApiState},
    web::asset::{Asset, Lifetime},
};

/// Get the OpenAPI document
///
/// OpenAPI 3.1: the contract that clients are generated from.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenapi",
    tag = "Operations",
    responses((status = 200, description = "The document.", body = utoipa::openapi::Object, content_type = "application/json"), OpenProblems),
)]
pub(crate) async fn get_openapi(State(state): State<ApiState>, headers: HeaderMap) -> Response {
    static ASSET: OnceLock<Asset> = OnceLock::new();
    ASSET.get_or_init(|| json(&state.documents.v3_1)).answer(&headers).await
}

/// Get the OpenAPI document as 3.0.3
///
/// The same contract, for generators that do not read OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi-3.0.json",
    operation_id = "getOpenapi30",
    tag = "Operations",
    responses((status = 200, description = "The document.", body = utoipa::openapi::Object, content_type = "application/json"), OpenProblems),
)]
pub(crate) async fn get_openapi_3_0(State(state): State<ApiState>, headers: HeaderMap) -> Response {
    static ASSET: OnceLock<Asset> = OnceLock::new();
    ASSET.get_or_init(|| json(&state.documents.v3_0)).answer(&headers).await
}

fn json(document: &'static str) -> Asset {
    Asset::new(document, "application/json", Lifetime::UntilChanged)
}
