//! What the directory answers: records as bytes, and an account of where they
//! came from.

use std::{ops::Range, sync::Arc, time::Duration};

use crate::{
    cache::{CacheStatus, Cached, Entry},
    domain::connection::ConnectionName,
    vendors::plan::PlanError,
};

use super::DirectoryError;

/// A page of a list.
#[derive(Debug)]
pub struct ListPage {
    /// The records, in list order.
    pub segments: Vec<Segment>,
    /// Where the list goes on, if it does.
    pub next_cursor: Option<String>,
    /// Where it comes from, if from anywhere.
    pub prev_cursor: Option<String>,
    /// What each source contributed, in the question's order.
    pub sources: Vec<SourceReport>,
    /// How fresh the answer is; `None` where it was made of no page.
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
    /// How many vendor calls were made for them.
    pub calls: u32,
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
pub struct RetrievedRecord {
    /// The record, of a page of one.
    pub record: Segment,
    /// How fresh the answer is.
    pub freshness: Freshness,
}

impl Freshness {
    /// That of one kept page.
    pub(super) fn of(cached: &Cached, age: Duration) -> Self {
        let calls = u32::from(cached.status.forward.is_some_and(|forward| !forward.collapsed));
        Self { status: cached.status, age, entries: vec![Arc::clone(&cached.entry)], calls }
    }

    /// That of an answer that was also made of `other`.
    pub(super) fn merge(&mut self, other: Self) {
        self.status = self.status.combine(other.status);
        self.age = self.age.max(other.age);
        self.entries.extend(other.entries);
        self.calls += other.calls;
    }
}

/// What a source contributed to a page.
#[derive(Debug)]
pub struct SourceReport {
    /// The connection's name.
    pub connection: ConnectionName,
    /// The kind of vendor.
    pub vendor: &'static str,
    /// How it went there.
    pub outcome: SourceOutcome,
}

/// How it went at a source.
#[derive(Debug)]
pub enum SourceOutcome {
    /// It answered.
    Answered {
        /// Whether the call budget was spent before its part was whole.
        is_partial: bool,
        /// Its own count of the question, where that is exactly known.
        total: Option<u64>,
        /// When the oldest of its answers behind this page was fetched; `None`
        /// where the budget was spent before the first.
        fetched_at: Option<jiff::Timestamp>,
    },
    /// This page needed nothing of it: the walk has not reached it yet, or has
    /// come to its end.
    NotAsked,
    /// It is in trouble; its place is kept.
    Failed(DirectoryError),
    /// It was left out, since the question cannot be put to it.
    Skipped(PlanError),
}

impl ListPage {
    /// The count of the whole question, where it is exactly known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.sources.iter().map(|source| source.outcome.total()).sum()
    }
}

impl SourceOutcome {
    /// The source's own count of the question, where it is exactly known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        match self {
            Self::Answered { total, .. } => *total,
            // Where there is no such list, there is nothing to count.
            Self::Skipped(PlanError::NoSuchOperation) => Some(0),
            Self::NotAsked | Self::Failed(_) | Self::Skipped(_) => None,
        }
    }
}
