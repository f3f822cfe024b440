//! The answer to a list, of whichever kind of row.

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

/// Answers a request for a list: a page of it, or all of it.
pub(crate) async fn list(state: &ApiState, headers: &HeaderMap, request: ListRequest) -> Result<Response, Problem> {
    record_connections(&request.page.connections);
    if let Some(format) = Format::asked(headers) {
        return export::answer(state, request, format).await;
    }
    let listed = state.directory.list(&request.question, &request.page).await?;
    let mut response = conditional::answer(headers, page::list(listed, request.page.limit));
    if request.page.is_lenient {
        response.headers_mut().insert(PREFERENCE_APPLIED, LENIENT);
    }
    Ok(response)
}
