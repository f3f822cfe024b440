//! `GET /openapi.json` and `GET /openapi-3.0.json`.

use std::sync::OnceLock;

use axum::{extract::State, response::Response};
use http::HeaderMap;

use crate::{
    api::{openapi::problems::PublicProblems, state::ApiState},
    web::asset::{Asset, Lifetime},
};

/// Get the OpenAPI document
///
/// Returns this document in OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenapi",
    tag = "Operations",
    responses((status = 200, description = "The document.", body = utoipa::openapi::Object, content_type = "application/json"), PublicProblems),
)]
pub(crate) async fn get_openapi(State(state): State<ApiState>, headers: HeaderMap) -> Response {
    static ASSET: OnceLock<Asset> = OnceLock::new();
    ASSET.get_or_init(|| json(&state.documents.v3_1)).respond(&headers).await
}

/// Get the OpenAPI 3.0 document
///
/// Returns this document in OpenAPI 3.0.3, for generators that do not support
/// OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi-3.0.json",
    operation_id = "getOpenapi30",
    tag = "Operations",
    responses((status = 200, description = "The document.", body = utoipa::openapi::Object, content_type = "application/json"), PublicProblems),
)]
pub(crate) async fn get_openapi_3_0(State(state): State<ApiState>, headers: HeaderMap) -> Response {
    static ASSET: OnceLock<Asset> = OnceLock::new();
    ASSET.get_or_init(|| json(&state.documents.v3_0)).respond(&headers).await
}

fn json(document: &'static str) -> Asset {
    Asset::new(document, "application/json", Lifetime::UntilChanged)
}
