//! Part of a batch at one source.
//!
//! Cached customers come first and take no vendor call. The others are fetched
//! concurrently, within the call budget of the request.

use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::{
    cache::{CacheDirectives, Peek},
    domain::{batch::BatchQuery, id::GatewayId, priority::Priority},
    upstream::{Reservation, SendError},
    vendors::{
        RefusalKind, VendorError,
        plan::{PlanError, RetrievalPlan},
    },
};

use super::{
    DirectoryError, Freshness, PageRequest, Segment, Source, SourceError, SourceOutcome, SourceReport, SourceRow,
    UnservedRows, walk::CallBudget,
};

/// Maximum number of concurrent vendor calls of a batch to one connection. The
/// rate limit of most vendors allows no more calls at once.
const MAX_CONCURRENT_CALLS: usize = 8;

/// Part of a batch at one source.
pub(super) struct SourceBatch {
    pub(super) source: Arc<Source>,
    /// The ids of the page, or the reason why the source does not support the
    /// query.
    pub(super) ids: Result<Vec<OpenId>, PlanError>,
    /// True if no other page has ids of the source.
    is_whole: bool,
    pub(super) rows: Vec<(usize, Segment)>,
    not_found: Vec<usize>,
    pub(super) freshness: Option<Freshness>,
    /// First failure of a call.
    pub(super) failure: Option<DirectoryError>,
    /// First call that did not fit into the request's time.
    pub(super) obstacle: Option<DirectoryError>,
}

/// Id to look up: its index in the batch, and its plan.
#[derive(Clone)]
pub(super) struct OpenId {
    pub(super) index: usize,
    pub(super) plan: Arc<RetrievalPlan>,
}

/// Result of one lookup. Without a row, the call budget is exhausted.
type LookedUp = (OpenId, Option<Result<SourceRow, SourceError>>);

/// Lookups of one request at one source.
struct Lookups<'r> {
    source: &'r Arc<Source>,
    calls: &'r CallBudget,
    directives: CacheDirectives,
    reservation: Arc<Reservation>,
}

impl SourceBatch {
    /// Creates the part of a source before its lookups.
    pub(super) fn new(source: Arc<Source>, ids: Result<Vec<OpenId>, PlanError>, is_whole: bool) -> Self {
        let (rows, not_found) = (Vec::new(), Vec::new());
        Self { source, ids, is_whole, rows, not_found, freshness: None, failure: None, obstacle: None }
    }

    /// Looks the ids up. The first failure ends the calls to the source.
    pub(super) async fn fetch(&mut self, calls: &CallBudget, request: &PageRequest) {
        let Ok(ids) = &self.ids else { return };
        let source = Arc::clone(&self.source);
        let reservation =
            source.upstream().reservation(request.caller.clone(), Priority::Caller, request.deadline.elapsed);
        let lookups =
            Lookups { source: &source, calls, directives: request.directives, reservation: Arc::new(reservation) };
        let mut missing = Vec::new();
        for id in ids.clone() {
            if lookups.is_cached(&id).await {
                let found = lookups.look_up(id).await;
                self.record(found);
            } else {
                missing.push(id);
            }
        }
        let expected = u32::try_from(missing.len()).unwrap_or(u32::MAX).min(calls.remaining());
        lookups.reservation.expect_calls(expected);
        let mut missing = missing.into_iter();
        let mut running: FuturesUnordered<_> =
            missing.by_ref().take(MAX_CONCURRENT_CALLS).map(|id| lookups.look_up(id)).collect();
        while let Some(found) = running.next().await {
            self.record(found);
            if self.failure.is_none()
                && self.obstacle.is_none()
                && let Some(id) = missing.next()
            {
                running.push(lookups.look_up(id));
            }
        }
    }

    fn record(&mut self, (OpenId { index, plan }, result): LookedUp) {
        match result {
            Some(Ok(SourceRow { record, freshness })) => {
                match record {
                    Some(record) => self.rows.push((index, record)),
                    None => self.not_found.push(index),
                }
                match &mut self.freshness {
                    Some(combined) => combined.merge(freshness),
                    None => self.freshness = Some(freshness),
                }
            }
            // An id that makes no vendor request.
            Some(Err(SourceError::Vendor { error: VendorError::NotFound, .. })) => self.not_found.push(index),
            Some(Err(error)) if is_obstacle(&error) => {
                self.obstacle.get_or_insert_with(|| self.source.with_connection(error));
            }
            Some(Err(error)) => {
                let is_about_customer = is_about_customer(&error);
                let mut failure = self.source.with_connection(error);
                if is_about_customer {
                    let id = GatewayId { connection: self.source.name().as_str(), vendor_id: &plan.vendor_id };
                    failure = DirectoryError::Customer(id.to_string(), Box::new(failure));
                }
                self.failure.get_or_insert(failure);
            }
            None => {}
        }
    }

    /// Returns true if an id has a result.
    pub(super) fn has_result(&self) -> bool {
        !self.rows.is_empty() || !self.not_found.is_empty()
    }

    /// Returns the ids that the next page does not look up: ids with a result,
    /// and all ids of a skipped source.
    pub(super) fn closed_ids(&self, query: &BatchQuery) -> Vec<usize> {
        if self.ids.is_err() {
            let name = self.source.name();
            return (0..query.ids.len()).filter(|&index| query.ids[index].connection == *name).collect();
        }
        self.rows.iter().map(|(index, _)| *index).chain(self.not_found.iter().copied()).collect()
    }

    /// Returns the outcome of the source. Its total is known if this page has the
    /// results for all its ids.
    pub(super) fn report(&mut self, query: &BatchQuery) -> SourceReport {
        self.not_found.sort_unstable();
        let not_found = self.not_found.iter().map(|&index| query.ids[index].gateway_id().to_string()).collect();
        let outcome = match (&self.ids, self.failure.take()) {
            (Err(error), _) => SourceOutcome::Skipped(error.clone()),
            (Ok(_), Some(error)) => SourceOutcome::Failed(error),
            (Ok(ids), None) if ids.is_empty() => SourceOutcome::NotAsked,
            (Ok(ids), None) => {
                let is_partial = self.rows.len() + self.not_found.len() < ids.len();
                SourceOutcome::Answered {
                    origin: self.freshness.as_ref().map(Freshness::origin).unwrap_or_default(),
                    is_partial,
                    total: (!is_partial && self.is_whole).then_some(self.rows.len() as u64),
                    fetched_at: self.freshness.as_ref().and_then(Freshness::oldest),
                    unserved: UnservedRows::default(),
                    shortfall: None,
                }
            }
        };
        let (connection, vendor) = (self.source.name().clone(), self.source.vendor());
        SourceReport { connection, vendor, outcome, not_found: Some(not_found) }
    }
}

impl Lookups<'_> {
    /// Returns true if a lookup is expected to make no vendor call. An id that
    /// makes no vendor request counts as cached.
    async fn is_cached(&self, id: &OpenId) -> bool {
        if self.source.stored_row(&id.plan, &self.directives).is_some() {
            return true;
        }
        !matches!(self.source.peek_customer(&id.plan, &self.directives).await, Ok(Peek::Fetched))
    }

    /// Looks a customer up. After the call budget is exhausted, only cached
    /// customers are found.
    async fn look_up(&self, id: OpenId) -> LookedUp {
        let may_call = self.calls.take();
        let is_exhausted = !may_call && !self.directives.only_if_cached;
        let only_if_cached = self.directives.only_if_cached || is_exhausted;
        let directives = CacheDirectives { only_if_cached, ..self.directives };
        let row = self.source.retrieve(Arc::clone(&id.plan), directives, &self.reservation).await;
        let is_forwarded = match &row {
            Ok(row) => row.freshness.status.is_forwarded(),
            Err(SourceError::Send(error)) => !error.is_unsent(),
            Err(_) => true,
        };
        if may_call && !is_forwarded {
            self.calls.give_back();
        }
        match row {
            Err(SourceError::NotCached) if is_exhausted => (id, None),
            row => (id, Some(row)),
        }
    }
}

/// Returns true if a call was not sent, because no slot is free in time or too
/// many requests wait for the vendor.
fn is_obstacle(error: &SourceError) -> bool {
    error.is_too_late() || *error == SourceError::Send(SendError::TooManyWaiting)
}

/// Returns true if the vendor works, and its response concerns one customer.
fn is_about_customer(error: &SourceError) -> bool {
    let SourceError::Vendor { error, .. } = error else { return false };
    match error {
        VendorError::Unreadable(_) => true,
        error => matches!(error.kind(), Some(RefusalKind::RequestRejected | RefusalKind::ValueRejected(_))),
    }
}
