//! Exports: a whole list as one stream, for a request that accepts
//! `application/x-ndjson` or `text/csv`.
//!
//! The stream contains a [`Checkpoint`] after each page and at the end. The last
//! checkpoint tells an interrupted stream from a complete one, and contains the
//! cursor that resumes the stream. [`Marks::None`] omits checkpoints.

mod csv;
mod format;
mod ndjson;
mod rows;
mod stream;

use axum::{body::Body, response::Response};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, VARY},
};
use serde::{Serialize, Serializer};

use crate::{
    api::{
        body::{rejection::list_problem, sources::SourceReport},
        parameters::{ListParts, ListRequest, Marks},
        state::ApiState,
    },
    web::{
        conditional,
        prefer::{LENIENT, PREFERENCE_APPLIED},
        problem::{Code, Problem, SourceProblem},
    },
};
pub(crate) use format::Format;
use rows::RowWriter;

/// State of an export after a page.
#[derive(Debug, Serialize)]
struct Checkpoint<'p> {
    status: ExportStatus,
    /// Number of rows sent so far.
    count: usize,
    /// Cursor that resumes the export; null if it is complete.
    cursor: Option<String>,
    /// Reason for an incomplete export.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<SourceProblem>,
    /// Contribution of each connection, in the last checkpoint only.
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<Vec<SourceReport<'p>>>,
}

/// Status of an export after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExportStatus {
    /// More pages follow.
    Continues,
    /// All rows were sent.
    Complete,
    /// The export ended before all rows were sent.
    Incomplete,
}

/// Responds to a list request with an export.
pub(crate) async fn respond(
    state: &ApiState,
    parts: &ListParts,
    request: ListRequest,
    format: Format,
) -> Result<Response, Problem> {
    if let Some(parameter) = request.page_limit {
        let detail = format!("an export has no pages; remove `{parameter}`");
        return Err(Problem::new(Code::InvalidParameter, detail).parameter(parameter));
    }
    if format == Format::Csv && request.query.shape.raw {
        let detail =
            "CSV cannot contain the vendor's own object; remove `include=raw`, or accept `application/x-ndjson`";
        return Err(Problem::new(Code::InvalidParameter, detail).parameter("include"));
    }
    let marks = request.marks.unwrap_or(Marks::All);
    let is_lenient = request.page.is_lenient;
    let disposition = format.content_disposition(request.query.resource);
    let export = state.directory.export(&request.query, request.page.clone()).await;
    let mut export = export.map_err(|error| list_problem(error, &request, parts))?;
    // An early error still gets its own HTTP status. The wait for the first rows
    // is shorter than the deadline: slow first rows must not fail the export.
    export.begin(state.request_timeout / 2).await?;
    let rows = RowWriter { query: request.query, projection: request.projection };
    let mut response = Response::new(Body::from_stream(stream::stream(export, rows, format, marks)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, format.content_type());
    headers.insert(CONTENT_DISPOSITION, disposition);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, conditional::VARIES_BY);
    if is_lenient {
        headers.insert(PREFERENCE_APPLIED, LENIENT);
    }
    Ok(response)
}

impl Checkpoint<'_> {
    fn is_last(&self) -> bool {
        self.status != ExportStatus::Continues
    }
}

impl ExportStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Continues => "continues",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
        }
    }
}

impl Serialize for ExportStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
