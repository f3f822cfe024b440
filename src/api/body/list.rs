//! Responses to list requests: pages and exports.

use axum::response::Response;
use http::HeaderMap;

use crate::{
    api::{
        body::{
            export::{self, Format},
            page,
        },
        parameters::ListRequest,
        state::ApiState,
    },
    telemetry::request::record_connections,
    web::{
        conditional,
        prefer::{LENIENT, PREFERENCE_APPLIED},
        problem::Problem,
    },
};

/// Responds to a list request with a page, or with an export if the request
/// accepts an export format.
pub(crate) async fn list(state: &ApiState, headers: &HeaderMap, request: ListRequest) -> Result<Response, Problem> {
    record_connections(&request.page.connections);
    if let Some(format) = Format::negotiate(headers) {
        return export::respond(state, request, format).await;
    }
    request.reject_export_parameters()?;
    let list_page = state.directory.list(&request.query, &request.page).await?;
    let mut response = conditional::respond(headers, page::list(list_page, request.page.limit));
    if request.page.is_lenient {
        response.headers_mut().insert(PREFERENCE_APPLIED, LENIENT);
    }
    Ok(response)
}
