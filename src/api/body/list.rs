//! Responses to list requests: pages, batches and exports.

use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, header::RETRY_AFTER};

use crate::{
    api::{
        body::{
            export::{self, Format},
            page,
            rejection::list_problem,
        },
        parameters::{BatchRequest, ListParts, ListRequest},
        state::ApiState,
    },
    clock::ceil_seconds,
    directory::{ListPage, PageRequest, SourceOutcome},
    domain::projection::Projection,
    telemetry::request::record_connections,
    web::{
        conditional::{self, Representation},
        link::page_links,
        prefer::{LENIENT, PREFERENCE_APPLIED},
        problem::{Code, Problem},
    },
};

/// Wait of a client if the failed source names no time.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Responds to a list request with a page, or with an export if the request
/// accepts an export format.
pub(crate) async fn list(state: &ApiState, parts: &ListParts, request: ListRequest) -> Result<Response, Problem> {
    record_connections(&request.page.connections);
    // The large futures are on the heap, because axum moves the future of a handler.
    if let Some(format) = Format::negotiate(&parts.headers) {
        return Box::pin(export::respond(state, parts, request, format)).await;
    }
    request.reject_export_parameters()?;
    let list_page = Box::pin(state.directory.list(&request.query, &request.page)).await;
    let list_page = list_page.map_err(|error| list_problem(error, &request, parts));
    respond(parts, list_page, &request.page, request.projection.as_ref()).await
}

/// Responds to a request for customers by id.
pub(crate) async fn batch(state: &ApiState, parts: &ListParts, request: BatchRequest) -> Result<Response, Problem> {
    record_connections(&request.page.connections);
    if Format::negotiate(&parts.headers).is_some() {
        let detail = "an export cannot select customers by `id`; remove `id`, or accept `application/json`";
        return Err(Problem::new(Code::InvalidParameter, detail).parameter("id"));
    }
    let list_page = Box::pin(state.directory.retrieve_batch(&request.query, &request.page)).await;
    let list_page = list_page.map_err(Problem::from);
    respond(parts, list_page, &request.page, request.projection.as_ref()).await
}

async fn respond(
    parts: &ListParts,
    list_page: Result<ListPage, Problem>,
    request: &PageRequest,
    projection: Option<&Projection>,
) -> Result<Response, Problem> {
    let list_page = list_page.map_err(|problem| failed_list(problem, request.allows_partial))?;
    let retry_after = list_page.sources.iter().filter_map(|report| retry_after(&report.outcome)).min();
    let links = page_links(&parts.target, list_page.next_cursor.as_deref(), list_page.prev_cursor.as_deref());
    let representation = Representation { links: Some(links), ..page::list(list_page, request.limit, projection) };
    let mut response = conditional::respond(&parts.headers, representation).await;
    if let Some(wait) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(ceil_seconds(wait)));
    }
    if request.is_lenient {
        response.headers_mut().insert(PREFERENCE_APPLIED, LENIENT);
    }
    Ok(response)
}

/// Completes the problem of a list without progress. With `partial=allow`, the
/// problem always states when the list can be continued.
fn failed_list(problem: Problem, allows_partial: bool) -> Problem {
    if allows_partial && problem.is_server_error() { problem.retry_after_or(DEFAULT_RETRY_AFTER) } else { problem }
}

/// Returns the time after which a failed source may contribute, at least one
/// second.
fn retry_after(outcome: &SourceOutcome) -> Option<Duration> {
    match outcome {
        SourceOutcome::Failed(error) => Some(Problem::from(error.clone()).wait().unwrap_or(DEFAULT_RETRY_AFTER)),
        _ => None,
    }
}
