//! Bodies of pages and of single customers, assembled from cached records.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::body::sources::SourceReport,
    directory::{ListPage, RetrievedRecord, Segment, SourceOutcome},
    domain::{customer::Customer, projection::Projection, transaction::Transaction},
    web::conditional::Representation,
};

/// A page of customers.
#[derive(ToSchema)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `list` writes the body")]
pub(crate) struct CustomerPage {
    /// The customers, in list order.
    #[schema(value_type = Vec<Customer>)]
    data: Vec<Customer<'static>>,
    /// The position of the page in the list.
    page: Page<'static>,
    /// The contribution of each connection.
    sources: Vec<SourceReport<'static>>,
}

/// A page of transactions.
#[derive(ToSchema)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `list` writes the body")]
pub(crate) struct TransactionPage {
    /// The transactions, in list order.
    #[schema(value_type = Vec<Transaction>)]
    data: Vec<Transaction<'static>>,
    /// The position of the page in the list.
    page: Page<'static>,
    /// The contribution of each connection.
    sources: Vec<SourceReport<'static>>,
}

/// The position of a page in its list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<'p> {
    /// The `limit` of the request. A page may contain fewer rows, or none, and
    /// still have a `next_cursor`. With `id` and without `limit`, the number of
    /// different ids.
    #[schema(example = 20)]
    limit: usize,
    /// True if there is a `next_cursor`.
    #[schema(example = true)]
    has_more: bool,
    /// The cursor of the next page. Null at the end of the list.
    next_cursor: Option<&'p str>,
    /// The cursor of the previous page. Null at the start of the list.
    prev_cursor: Option<&'p str>,
    /// The number of rows on all pages of the list. Null if the exact number is
    /// not known.
    #[schema(value_type = Option<i64>, example = 85)]
    total: Option<u64>,
}

#[derive(Serialize)]
struct Tail<'p> {
    page: Page<'p>,
    sources: Vec<SourceReport<'p>>,
}

/// Assembles the body of a page. Records are copied as cached JSON, or projected.
pub(crate) fn list(list_page: ListPage, limit: usize, projection: Option<&Projection>) -> Representation {
    let tail = Tail {
        page: Page {
            limit,
            has_more: list_page.next_cursor.is_some(),
            next_cursor: list_page.next_cursor.as_deref(),
            prev_cursor: list_page.prev_cursor.as_deref(),
            total: list_page.total(),
        },
        sources: list_page.sources.iter().map(SourceReport::new).collect(),
    };
    let tail = serde_json::to_vec(&tail).unwrap_or_default();
    let records: usize = list_page.segments.iter().map(|segment| segment.json().len() + 1).sum();
    let mut body = Vec::with_capacity(b"{\"data\":[],".len() + records + tail.len());
    body.extend_from_slice(b"{\"data\":[");
    for (index, segment) in list_page.segments.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        match projection {
            None => body.extend_from_slice(segment.json()),
            Some(projection) => write_projected(segment, projection, &mut body),
        }
    }
    body.extend_from_slice(b"],");
    body.extend_from_slice(tail.get(1..).unwrap_or_default());
    // The digests of the cached pages cover all fields. A tag of a projection
    // depends on the remaining fields only.
    let hash = if projection.is_some() { blake3::hash(&body) } else { hash(&list_page.segments, &tail) };
    // A page without a failed connection's rows must not be cached: the
    // connection may recover at any time.
    let is_complete = !list_page.sources.iter().any(|source| matches!(source.outcome, SourceOutcome::Failed(_)));
    // A cached page could repeat an expired cursor, and a restart of the walk
    // would not help.
    let is_cacheable = is_complete && !list_page.has_kept_cursor;
    Representation { body, hash, links: None, freshness: list_page.freshness.filter(|_| is_cacheable) }
}

/// Assembles the body of a single customer.
pub(crate) fn single(retrieved: RetrievedRecord, projection: Option<&Projection>) -> Representation {
    let record = retrieved.record.json();
    let mut body = Vec::with_capacity(record.len());
    match projection {
        None => body.extend_from_slice(record),
        Some(projection) => projection.write(record, &mut body),
    }
    Representation { hash: blake3::hash(&body), body, links: None, freshness: Some(retrieved.freshness) }
}

fn write_projected(segment: &Segment, projection: &Projection, body: &mut Vec<u8>) {
    for index in segment.records.clone() {
        if index > segment.records.start {
            body.push(b',');
        }
        projection.write(segment.page.json(index), body);
    }
}

/// Returns the hash of a page with all fields. The hash covers the digests of
/// the cached pages instead of their rows, which are larger.
fn hash(segments: &[Segment], tail: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for segment in segments {
        hasher.update(segment.page.digest());
        hasher.update(&segment.records.start.to_le_bytes());
        hasher.update(&segment.records.end.to_le_bytes());
    }
    hasher.update(tail);
    hasher.finalize()
}

/// Responds with a JSON body.
pub(crate) fn json(body: impl IntoResponse) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
