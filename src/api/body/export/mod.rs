//! A whole list as one stream, for a request that accepts
//! `application/x-ndjson` or `text/csv`.
//!
//! After each page, and at its end, the stream says where it stands
//! ([`Checkpoint`]): one that breaks off can be told from one that ended, and is
//! resumed with the last cursor it holds.

mod csv;
mod ndjson;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use headers_accept::Accept;
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY},
};
use mediatype::{MediaType, Name, Value, names, values};
use opentelemetry::{Context, context::FutureExt};
use serde::Serialize;

use crate::{
    api::{body::sources::SourceReport, parameters::ListRequest, state::ApiState},
    directory::{Export, ExportPage, SourceOutcome},
    web::{
        conditional,
        prefer::{LENIENT, PREFERENCE_APPLIED},
        problem::{Code, Problem, SourceProblem},
    },
};

const X_NDJSON: Name<'static> = Name::new_unchecked("x-ndjson");
const IN_UTF_8: &[(Name<'static>, Value<'static>)] = &[(names::CHARSET, values::UTF_8)];

/// What a list is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A line of JSON for each row (<https://github.com/ndjson/ndjson-spec>).
    Ndjson,
    /// A line of comma-separated values for each row (RFC 4180).
    Csv,
}

/// Where an export stands.
#[derive(Debug, Serialize)]
struct Checkpoint<'p> {
    /// `continues`, `complete`, or `incomplete`.
    status: &'static str,
    /// How many rows have been sent so far.
    count: usize,
    /// Where it goes on; null where it is complete.
    cursor: Option<String>,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<SourceProblem>,
    /// At its end: what each connection contributed.
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<Vec<SourceReport<'p>>>,
}

impl Format {
    /// The formats of a list, the first of those that are wanted alike first;
    /// each once more with the charset that clients like to name, since a range
    /// with a parameter is not met without it.
    const MEDIA_TYPES: [MediaType<'static>; 6] = [
        MediaType::new(names::APPLICATION, names::JSON),
        MediaType::new(names::APPLICATION, X_NDJSON),
        MediaType::new(names::TEXT, names::CSV),
        MediaType::from_parts(names::APPLICATION, names::JSON, None, IN_UTF_8),
        MediaType::from_parts(names::APPLICATION, X_NDJSON, None, IN_UTF_8),
        MediaType::from_parts(names::TEXT, names::CSV, None, IN_UTF_8),
    ];

    /// The format that a request asks for in place of a page.
    pub(crate) fn asked(request: &HeaderMap) -> Option<Self> {
        let ranges: Result<Vec<_>, _> = request.get_all(ACCEPT).iter().map(HeaderValue::to_str).collect();
        // The crate compares charsets as they are written, in capitals.
        let accept: Accept = ranges.ok()?.join(",").to_ascii_uppercase().parse().ok()?;
        let preferred = accept.negotiate(&Self::MEDIA_TYPES)?.subty;
        if preferred == X_NDJSON {
            Some(Self::Ndjson)
        } else if preferred == names::CSV {
            Some(Self::Csv)
        } else {
            None
        }
    }

    /// Whether a request may ask for one; cheaper to know. JSON is the first
    /// choice of a wildcard, unless it has a weight of its own.
    pub(crate) fn may_be_asked(request: &HeaderMap) -> bool {
        let may_mean = |value: &HeaderValue| {
            let has =
                |part: &str| value.as_bytes().windows(part.len()).any(|it| it.eq_ignore_ascii_case(part.as_bytes()));
            has("ndjson") || has("csv") || has("text/*") || (has("*") && has("q="))
        };
        request.get_all(ACCEPT).iter().any(may_mean)
    }

    fn content_type(self) -> HeaderValue {
        match self {
            Self::Ndjson => HeaderValue::from_static("application/x-ndjson"),
            Self::Csv => HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
        }
    }

    fn head(self, request: &ListRequest) -> Option<Bytes> {
        match self {
            Self::Ndjson => None,
            Self::Csv => Some(csv::head(&request.question)),
        }
    }

    fn page(self, request: &ListRequest, page: &ExportPage, mark: &Checkpoint<'_>) -> Bytes {
        match self {
            Self::Ndjson => ndjson::page(&request.question, page, mark),
            Self::Csv => csv::page(&request.question, page, mark),
        }
    }
}

/// Answers a request with the whole list.
pub(crate) async fn answer(state: &ApiState, request: ListRequest, format: Format) -> Result<Response, Problem> {
    if let Some(parameter) = request.bound {
        let detail = format!("an export has no pages: leave `{parameter}` out");
        return Err(Problem::new(Code::InvalidParameter, detail).parameter(parameter));
    }
    if format == Format::Csv && request.question.shape.raw {
        let detail =
            "CSV has no place for the vendor's own object: leave `include=raw` out, or accept `application/x-ndjson`";
        return Err(Problem::new(Code::InvalidParameter, detail).parameter("include"));
    }
    let is_lenient = request.page.is_lenient;
    let mut export = state.directory.export(&request.question, request.page.clone())?;
    // What is wrong from the beginning is said with its status. A list whose
    // first rows are long in coming is no reason to miss the deadline.
    export.begin(state.request_timeout / 2).await?;
    let mut response = Response::new(Body::from_stream(stream(export, request, format)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, format.content_type());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, conditional::VARIES_BY);
    if is_lenient {
        headers.insert(PREFERENCE_APPLIED, LENIENT);
    }
    Ok(response)
}

/// An export on its way to a caller, who sets its pace: the next page is asked
/// for when the last one has been taken.
struct ExportStream {
    export: Export,
    request: ListRequest,
    format: Format,
    is_over: bool,
    count: usize,
    /// The request's, which ends with its head.
    context: Context,
}

fn stream(
    export: Export,
    request: ListRequest,
    format: Format,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
    let head = stream::iter(format.head(&request).map(Ok));
    let sending = ExportStream { export, request, format, is_over: false, count: 0, context: Context::current() };
    head.chain(stream::unfold(sending, async |mut sending| Some((Ok(sending.next().await?), sending))))
}

impl ExportStream {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let page = self.export.next().with_context(self.context.clone()).await;
        self.count += page.count;
        let (status, problem) = match (&page.failure, &page.cursor) {
            (Some(error), _) => ("incomplete", Some(SourceProblem::from(Problem::from(error.clone())))),
            (None, None) => ("complete", None),
            (None, Some(_)) => ("continues", None),
        };
        self.is_over = status != "continues";
        let sources = self.is_over.then(|| page.sources.iter().map(SourceReport::of).collect());
        let mark = Checkpoint { status, count: self.count, cursor: page.cursor.clone(), problem, sources };
        Some(self.format.page(&self.request, &page, &mark))
    }
}

impl Checkpoint<'_> {
    fn is_end(&self) -> bool {
        self.status != "continues"
    }
}

/// The connections whose rows are not all there.
fn omitted(page: &ExportPage) -> impl Iterator<Item = &str> {
    let is_out = |outcome: &SourceOutcome| matches!(outcome, SourceOutcome::Failed(_) | SourceOutcome::Skipped(_));
    let is_missing = move |outcome: &SourceOutcome| is_out(outcome) || outcome.unserved().has_content();
    page.sources.iter().filter(move |source| is_missing(&source.outcome)).map(|source| source.connection.as_str())
}
