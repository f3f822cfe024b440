//! What the directory answers: records as bytes, and an account of where they
//! came from.

use std::{ops::Range, sync::Arc, time::Duration};

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    cache::{CacheStatus, Cached, Entry},
    domain::{connection::ConnectionName, timestamp::Timestamp},
};

/// A page of a list.
#[derive(Debug)]
pub struct Listed {
    /// The records, in list order.
    pub segments: Vec<Segment>,
    /// Where the list goes on, if it does.
    pub next_cursor: Option<String>,
    /// Where it comes from, if from anywhere.
    pub prev_cursor: Option<String>,
    /// What each source contributed.
    pub sources: Vec<SourceReport>,
    /// How fresh the answer is.
    pub freshness: Option<Freshness>,
}

/// How fresh an answer is: as the worst of the kept pages behind it.
#[derive(Debug, Clone)]
pub struct Freshness {
    /// How the pages were come by.
    pub status: CacheStatus,
    /// How old the oldest page is.
    pub age: Duration,
    /// The pages themselves.
    pub entries: Vec<Arc<Entry>>,
}

/// Consecutive records of one kept page.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The page.
    pub entry: Arc<Entry>,
    /// Which of its records.
    pub records: Range<usize>,
}

impl Segment {
    /// The records' JSON, separated by commas.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        self.entry.page.json_of(&self.records)
    }
}

/// One customer.
#[derive(Debug)]
pub struct Found {
    /// The record, of a page of one.
    pub record: Segment,
    /// How fresh the answer is.
    pub freshness: Freshness,
}

impl Freshness {
    /// That of one kept page.
    pub(super) fn of(cached: &Cached, age: Duration) -> Self {
        Self { status: cached.status, age, entries: vec![Arc::clone(&cached.entry)] }
    }

    /// That of an answer that was also made of `other`.
    pub(super) fn merge(&mut self, other: Self) {
        self.status = self.status.worse(other.status);
        self.age = self.age.max(other.age);
        self.entries.extend(other.entries);
    }
}

/// What a source contributed to a page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SourceReport {
    /// The connection's name.
    #[schema(value_type = String, example = "affiliates")]
    pub connection: ConnectionName,
    /// The kind of vendor.
    #[schema(example = "tolt", extensions(("x-extensible-enum" = json!(["tolt", "corporation"]))))]
    pub vendor: &'static str,
    /// `ok`; or `partial`, where the call budget was spent before the page was
    /// full: `next_cursor` goes on.
    #[schema(value_type = String, example = "ok", extensions(("x-extensible-enum" = json!(["ok", "partial"]))))]
    pub status: SourceStatus,
    /// The source's own count of the question; null whenever that is not
    /// exactly the count of this question.
    #[schema(value_type = Option<i64>, example = 85)]
    pub total: Option<u64>,
    /// When the oldest of the vendor's answers behind this page was fetched.
    #[schema(value_type = String, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    pub fetched_at: Timestamp,
}

/// How it went at a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceStatus {
    /// As asked.
    Ok,
    /// The call budget was spent before the page was full.
    Partial,
}

impl Listed {
    /// The count of the whole question, where it is exactly known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.sources.iter().map(|source| source.total).sum()
    }
}
