//! The body of a page: records as they are kept, between a head and a tail.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::body::sources::SourceReport,
    directory::{ListPage, RetrievedRecord, SourceOutcome},
    domain::{customer::Customer, transaction::Transaction},
    web::conditional::Representation,
};

/// A page of customers.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape of `list`, for the document")]
pub(crate) struct CustomerPage {
    /// The customers, in list order.
    #[schema(value_type = Vec<Customer>)]
    data: Vec<Customer<'static>>,
    /// Where the page stands in its list.
    page: Page<'static>,
    /// What each connection contributed.
    sources: Vec<SourceReport<'static>>,
}

/// A page of transactions.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape of `list`, for the document")]
pub(crate) struct TransactionPage {
    /// The transactions, in list order.
    #[schema(value_type = Vec<Transaction>)]
    data: Vec<Transaction<'static>>,
    /// Where the page stands in its list.
    page: Page<'static>,
    /// What each connection contributed.
    sources: Vec<SourceReport<'static>>,
}

/// Where a page stands in its list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<'p> {
    /// The limit that was asked for. A page may hold fewer rows, or none, and
    /// still lead on.
    #[schema(example = 20)]
    limit: usize,
    /// Whether the list goes on: whether there is a `next_cursor`.
    #[schema(example = true)]
    has_more: bool,
    /// The cursor of the next page; null at the end of the list.
    next_cursor: Option<&'p str>,
    /// The cursor of the page before; null at the beginning of the list.
    prev_cursor: Option<&'p str>,
    /// The count of the whole question; null whenever it is not exactly known.
    #[schema(value_type = Option<i64>, example = 85)]
    total: Option<u64>,
}

#[derive(Serialize)]
struct Tail<'p> {
    page: Page<'p>,
    sources: Vec<SourceReport<'p>>,
}

/// A page of a list.
pub(crate) fn list(listed: ListPage, limit: usize) -> Representation {
    let tail = Tail {
        page: Page {
            limit,
            has_more: listed.next_cursor.is_some(),
            next_cursor: listed.next_cursor.as_deref(),
            prev_cursor: listed.prev_cursor.as_deref(),
            total: listed.total(),
        },
        sources: listed.sources.iter().map(SourceReport::of).collect(),
    };
    let tail = serde_json::to_vec(&tail).unwrap_or_default();
    let records: usize = listed.segments.iter().map(|segment| segment.json().len() + 1).sum();
    let mut body = Vec::with_capacity(b"{\"data\":[],".len() + records + tail.len());
    // The tag is of what the body is made of, which is less to hash than the
    // body itself.
    let mut hasher = blake3::Hasher::new();
    body.extend_from_slice(b"{\"data\":[");
    for (index, segment) in listed.segments.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(segment.json());
        hasher.update(segment.page.digest());
        hasher.update(&segment.records.start.to_le_bytes());
        hasher.update(&segment.records.end.to_le_bytes());
    }
    body.extend_from_slice(b"],");
    body.extend_from_slice(tail.get(1..).unwrap_or_default());
    hasher.update(&tail);
    // What is missing may be back at any moment.
    let is_whole = !listed.sources.iter().any(|source| matches!(source.outcome, SourceOutcome::Failed(_)));
    Representation { body, hash: hasher.finalize(), freshness: listed.freshness.filter(|_| is_whole) }
}

/// A single customer.
pub(crate) fn single(found: RetrievedRecord) -> Representation {
    let body = found.record.json().to_vec();
    Representation { hash: blake3::hash(&body), body, freshness: Some(found.freshness) }
}

/// A body that is JSON already.
pub(crate) fn json(body: impl IntoResponse) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
