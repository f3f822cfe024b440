//! Bodies of pages and of single customers, assembled from cached records.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::body::sources::SourceReport,
    directory::{ListPage, RetrievedRecord, Segment, SourceOutcome},
    domain::{customer::Customer, projection::Projection, transaction::Transaction},
    web::{body_parts::BodyParts, conditional::Representation},
};

/// First capacity of the JSON after the rows.
const TAIL_CAPACITY: usize = 1 << 10;
/// Minimum bytes of a segment that is not copied. For a shorter segment, a copy costs less
/// than another part.
const MIN_SHARED: usize = 16 << 10;
/// JSON before the rows.
const START: &[u8] = b"{\"data\":[";
/// JSON between the rows and the other members.
const END: &[u8] = b"],";

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

/// Assembles the body of a page from cached records, without copying long segments.
pub(crate) fn list(list_page: ListPage, limit: usize, projection: Option<&Projection>) -> Representation {
    let tail = tail_json(&list_page, limit);
    let body = assemble(&list_page.segments, projection, &tail);
    // The digests of the cached pages cover all fields. A tag of a projection
    // depends on the remaining fields only.
    let (body, hash) = match projection {
        Some(_) => {
            let json = body.join();
            (json.clone().into(), blake3::hash(&json))
        }
        None => (body, hash(&list_page.segments, &tail)),
    };
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
    Representation { hash: blake3::hash(&body), body: body.into(), links: None, freshness: Some(retrieved.freshness) }
}

/// Returns the JSON of the members after the rows, as an object.
fn tail_json(list_page: &ListPage, limit: usize) -> Vec<u8> {
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
    let mut json = Vec::with_capacity(TAIL_CAPACITY);
    serde_json::to_writer(&mut json, &tail).map(|()| json).unwrap_or_default()
}

/// Assembles a page. Long segments are parts of their own, and not copied.
fn assemble(segments: &[Segment], projection: Option<&Projection>, tail: &[u8]) -> BodyParts {
    let is_shared = |segment: &Segment| projection.is_none() && is_shared(segment);
    let copied: usize = segments.iter().filter(|it| !is_shared(it)).map(|it| it.json().len() + 1).sum();
    let mut body = BodyParts::default();
    let mut part = Vec::with_capacity(START.len() + copied + END.len() + tail.len());
    part.extend_from_slice(START);
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            part.push(b',');
        }
        match projection {
            Some(projection) => write_projected(segment, projection, &mut part),
            None if is_shared(segment) => {
                body.push(std::mem::take(&mut part));
                body.push(Bytes::from_owner(segment.clone()));
            }
            None => part.extend_from_slice(segment.json()),
        }
    }
    part.extend_from_slice(END);
    part.extend_from_slice(members(tail));
    body.push(part);
    body
}

/// Returns true if a body refers to the segment's page instead of a copy. An unread body
/// holds the page in memory, so the segment must be most of the page.
fn is_shared(segment: &Segment) -> bool {
    let length = segment.json().len();
    length >= MIN_SHARED && segment.page.weight() <= length + length / 2
}

/// Returns the JSON of an object without its first brace.
fn members(object: &[u8]) -> &[u8] {
    object.get(1..).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use crate::domain::page::{Fields, PageInfo, RecordPageBuilder};

    use super::*;

    /// Returns the first rows of a page of 40 rows, with about 1 KB each.
    fn segment(rows: usize) -> Segment {
        let mut builder = RecordPageBuilder::with_capacity(40);
        let record = Value::from("x".repeat(1 << 10)).to_string();
        for _ in 0..40 {
            builder.push_json(&Fields::default(), record.as_bytes()).unwrap();
        }
        Segment { page: Arc::new(builder.finish(PageInfo::default())), records: 0..rows }
    }

    #[test]
    fn long_segments_are_not_copied() {
        // 20 rows are long, but only half of their page.
        for (rows, parts) in [(&[40][..], 3), (&[10], 1), (&[20], 1), (&[40, 10, 40], 5), (&[], 1)] {
            let segments: Vec<_> = rows.iter().copied().map(segment).collect();
            let body = assemble(&segments, None, br#"{"page":1}"#);
            assert_eq!(body.count(), parts, "{rows:?}");
            let json: Value = serde_json::from_slice(&body.join()).unwrap();
            assert_eq!(json["data"].as_array().unwrap().len(), rows.iter().sum::<usize>());
            assert_eq!(json["page"], 1);
        }
    }
}
