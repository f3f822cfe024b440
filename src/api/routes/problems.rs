//! `GET /problems/{code}`: pages that explain the problem codes.

use axum::{
    extract::RawPathParams,
    response::{Html, IntoResponse, Response},
};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};

use crate::{
    api::{openapi::problems::GetProblemProblems, parameters::path_id},
    web::problem::{Code, Problem, html},
};

/// Freshness of a page, which changes with the version of the gateway only.
const LIFETIME: &str = "public, max-age=3600";

/// Get a problem description
///
/// Returns an HTML page that describes a kind of problem and its remedy.
#[utoipa::path(
    get,
    path = "/problems/{code}",
    operation_id = "getProblem",
    tag = "Operations",
    params(("code" = String, Path, description = "The `code` of a problem.", example = "invalid_parameter")),
    responses(
        (status = 200, description = "The description of the problem and its remedy.", body = String, content_type = "text/html"),
        GetProblemProblems,
    )
)]
pub(crate) async fn get_problem(path: RawPathParams) -> Response {
    match Code::from_name(path_id(&path)) {
        Some(code) => {
            let headers = [(CONTENT_SECURITY_POLICY, html::POLICY), (CACHE_CONTROL, LIFETIME)];
            (headers, Html(html::describe(code))).into_response()
        }
        None => Problem::new(Code::NotFound, "there is no such problem code")
            .supported(Code::ALL.iter().map(|code| code.name()))
            .into_response(),
    }
}
