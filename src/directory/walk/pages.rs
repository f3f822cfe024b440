//! Vendor pages of a walk.

use std::sync::Arc;

use crate::{
    cache::{CacheDirectives, Cached, Entry, FreshEntries, Gap, Key, List, ListRows, Neighbouring, Rows},
    domain::{
        anchor::{Anchor, Direction},
        cycle::{AnchorFingerprint, CycleDetector},
        priority::Priority,
        residual::RecordFilter,
    },
    upstream::Reservation,
    vendors::{Call, PAGE_SIZE, plan::Plan},
};

use super::{
    super::{DirectoryError, Freshness, Source, SourceError, Trail, expected_calls::Work},
    FetchMode, FetchOptions, PageSummary, Prediction, Stop,
    shared_reservation::SharedReservation,
    view::View,
};

/// Number of pages that a walk reads before other requests get their turn. A read
/// of a cached page does not wait for anything.
const READS_PER_TURN: u32 = 8;

/// Vendor pages of a plan, with a summary of the pages read so far.
pub(in crate::directory) struct Pages {
    pub(super) source: Arc<Source>,
    pub(super) plan: Arc<Plan>,
    /// The residual filter of the plan.
    pub(super) filter: RecordFilter,
    trail: Trail,
    /// Identity of the list in the cache, after the first read.
    list: Option<Arc<List>>,
    pub(super) options: FetchOptions,
    pub(super) prediction: Prediction,
    pub(super) summary: Option<PageSummary>,
    freshness: Option<Freshness>,
    /// Reservation of the walk's calls, after the first read.
    reservation: SharedReservation,
    /// Number of vendor calls so far.
    calls: u32,
    /// Number of pages read so far.
    reads: u32,
    out_of_time: Option<DirectoryError>,
    /// True from the start of a fetch to its success. A walk that ends in between
    /// is not complete.
    is_interrupted: bool,
}

/// Page that a walk has read.
#[derive(Debug)]
pub(super) struct PageRead {
    pub(super) entry: Arc<Entry>,
    /// True if another request has fetched the page, which contains the rows beyond
    /// the gap.
    pub(super) is_substitute: bool,
}

impl Pages {
    pub(in crate::directory) fn new(source: Arc<Source>, plan: Arc<Plan>, trail: Trail, options: FetchOptions) -> Self {
        let filter = plan.residual.prepare();
        Self {
            source,
            plan,
            filter,
            trail,
            list: None,
            options,
            prediction: Prediction::default(),
            summary: None,
            freshness: None,
            reservation: SharedReservation::default(),
            calls: 0,
            reads: 0,
            out_of_time: None,
            is_interrupted: false,
        }
    }

    /// Returns the page at an anchor, or another fresh page of the list that
    /// contains the rows beyond `gap`. After the call budget is exhausted, only
    /// cached pages and pages with `is_required` are returned.
    pub(super) async fn fetch(
        &mut self,
        anchor: &Anchor,
        gap: Option<Gap>,
        is_required: bool,
    ) -> Result<PageRead, Stop> {
        self.take_turn().await;
        let read = match self.options.mode {
            FetchMode::Execute(priority) => self.execute(anchor, gap, priority, is_required).await?,
            FetchMode::DryRun => self.predict(anchor, gap).await?,
        };
        self.record(&read.entry);
        Ok(read)
    }

    /// Returns the page that earlier walks have found beside a page. `None` unless
    /// it is a fresh hit. A dry run lists its requests and therefore reads its pages
    /// one by one.
    pub(super) async fn follow(&mut self, entry: &Entry, direction: Direction) -> Option<Neighbouring<Arc<Entry>>> {
        if !self.is_executed() {
            return None;
        }
        let list = self.list().ok()?;
        let found = self.source.follow(entry, direction, &list, &self.options.directives)?;
        let Neighbouring { page: cached, index, fingerprint } = found;
        self.take_turn().await;
        let age = self.source.age(&cached.entry);
        match &mut self.freshness {
            Some(combined) => combined.add(&cached, age),
            None => self.freshness = Some(Freshness::new(&cached, age)),
        }
        self.record(&cached.entry);
        Some(Neighbouring { page: cached.entry, index, fingerprint })
    }

    /// Reads all pages of a view from the cache, as the first reads of the walk.
    /// `None` unless each page is a fresh hit. A dry run lists its pages and
    /// therefore reads them one by one.
    pub(super) fn reuse(&mut self, view: &View) -> Option<Vec<Arc<Entry>>> {
        if !self.is_executed() {
            return None;
        }
        let call = Call::List(Arc::clone(&self.plan), Anchor::Start);
        let FreshEntries { entries, status, age } = self.source.reuse(&call, &view.pages, &self.options.directives)?;
        self.summary = Some(view.summary);
        self.add_freshness(Freshness { status, age, entries: entries.clone(), lists: Vec::new(), calls: 0 });
        Some(entries)
    }

    /// Returns true unless the walk is a dry run.
    pub(super) fn is_executed(&self) -> bool {
        self.options.mode != FetchMode::DryRun
    }

    /// Returns true if the pages that the walk fetches are cached.
    pub(super) fn stores_pages(&self) -> bool {
        !self.options.directives.no_store
    }

    /// Returns the maximum number of calls of the walk.
    pub(super) fn allowed_calls(&self) -> u32 {
        self.options.calls.allowed()
    }

    /// Returns the cache key of the page at an anchor.
    pub(super) fn key(&self, anchor: &Anchor) -> Result<Key, DirectoryError> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        self.source.key(&call).map(|(key, _)| key).map_err(|error| self.source.with_connection(error))
    }

    /// Records that the page of a key follows the page at an anchor.
    pub(super) fn record_step(&self, key: Key, anchor: &Anchor) {
        self.trail.record(self.source.shared_account(), key, anchor);
    }

    /// Returns the anchor of the page before the page at an anchor, if recorded.
    pub(super) async fn recorded_predecessor(&self, anchor: &Anchor) -> Result<Option<Anchor>, DirectoryError> {
        Ok(self.trail.predecessor(self.source.shared_account(), &self.key(anchor)?).await)
    }

    /// Enters an anchor into the cycle detection of a walk.
    pub(super) fn detect_cycle(
        &self,
        cycle: CycleDetector,
        anchor: AnchorFingerprint,
    ) -> Result<CycleDetector, DirectoryError> {
        cycle.enter(anchor).ok_or_else(|| DirectoryError::Circular(self.source.name().clone()))
    }

    /// Returns the error of an expired cursor.
    pub(super) fn expired(&self) -> DirectoryError {
        DirectoryError::CursorExpired(self.source.name().clone())
    }

    /// Returns the reservation of the walk's calls.
    pub(super) fn shared_reservation(&self) -> SharedReservation {
        self.reservation.clone()
    }

    /// Returns the freshness of the pages read since the last call.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        self.freshness.take()
    }

    /// Returns the failure of the call that did not fit into the request's time.
    pub(super) fn out_of_time(&self) -> Option<DirectoryError> {
        self.out_of_time.clone()
    }

    async fn take_turn(&mut self) {
        self.reads = self.reads.wrapping_add(1);
        if self.reads.is_multiple_of(READS_PER_TURN) {
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn list(&mut self) -> Result<Arc<List>, SourceError> {
        if let Some(list) = &self.list {
            return Ok(Arc::clone(list));
        }
        let list = self.source.list(&self.plan)?;
        self.list = Some(Arc::clone(&list));
        Ok(list)
    }

    /// Replaces the plan by a plan with the same filter, and returns the old plan.
    pub(super) fn replace_plan(&mut self, plan: Arc<Plan>) -> Arc<Plan> {
        self.list = None;
        std::mem::replace(&mut self.plan, plan)
    }

    async fn execute(
        &mut self,
        anchor: &Anchor,
        gap: Option<Gap>,
        priority: Priority,
        is_required: bool,
    ) -> Result<PageRead, Stop> {
        self.is_interrupted = true;
        let cached = match self.fetch_page(anchor, gap, priority, is_required).await {
            Err(SourceError::NotCached) if !self.options.directives.only_if_cached => {
                self.is_interrupted = false;
                return Err(Stop::BudgetExhausted);
            }
            Err(error) if priority == Priority::Caller && self.summary.is_some() && error.is_too_late() => {
                let error = self.source.with_connection(error);
                self.out_of_time = Some(error.clone());
                return Err(Stop::OutOfTime(error));
            }
            fetched => fetched.map_err(|error| self.source.with_connection(error))?,
        };
        if cached.status.is_forwarded() {
            self.calls = self.calls.saturating_add(1);
            if priority == Priority::Caller {
                let expected = self.expected_calls(cached.entry.page.info().total);
                self.source.expected_calls.estimate(self.work(), self.calls.saturating_add(expected));
                self.reservation(priority).expect_calls(expected);
            }
        }
        self.is_interrupted = false;
        let freshness = self.source.freshness(&cached);
        self.add_freshness(freshness);
        Ok(PageRead { entry: cached.entry, is_substitute: cached.is_substitute })
    }

    pub(super) fn add_freshness(&mut self, freshness: Freshness) {
        match &mut self.freshness {
            Some(combined) => combined.merge(freshness),
            None => self.freshness = Some(freshness),
        }
    }

    /// Fetches a page and takes a call from the budget. Without a call, only a
    /// cached page or a page with `is_required` is returned.
    pub(super) async fn fetch_within_budget(
        &mut self,
        anchor: &Anchor,
        gap: Option<Gap>,
        priority: Priority,
        is_required: bool,
    ) -> Result<Cached, SourceError> {
        let rows = Rows::List(ListRows { list: self.list()?, anchor: anchor.clone(), gap });
        let reservation = self.reservation(priority);
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        let FetchOptions { calls, directives, .. } = &self.options;
        let may_call = calls.take();
        let is_exhausted = !may_call && !is_required && !directives.only_if_cached;
        let only_if_cached = directives.only_if_cached || is_exhausted;
        let directives = CacheDirectives { only_if_cached, ..*directives };
        let fetched = self.source.fetch(call, Some(rows), directives, &reservation).await;
        let is_sent = match &fetched {
            Ok(cached) => cached.status.is_forwarded(),
            Err(SourceError::Send(error)) => !error.is_unsent(),
            Err(_) => !is_exhausted,
        };
        if may_call && !is_sent {
            calls.give_back();
        }
        fetched
    }

    /// Returns the reservation of this walk's calls.
    fn reservation(&mut self, priority: Priority) -> Arc<Reservation> {
        if let Some(reservation) = self.reservation.get() {
            return Arc::clone(reservation);
        }
        let FetchOptions { caller, deadline, .. } = &self.options;
        let reservation = self.source.upstream().reservation(caller.clone(), priority, deadline.elapsed);
        if priority == Priority::Caller {
            reservation.expect_calls(self.expected_calls(None));
        }
        Arc::clone(self.reservation.get_or_init(|| Arc::new(reservation)))
    }

    /// Returns the number of calls that the walk still needs, by recent walks and
    /// by the vendor's row count.
    fn expected_calls(&self, total: Option<u64>) -> u32 {
        let recent = self.source.expected_calls.get(self.work()).saturating_sub(self.calls);
        let pages = total.map_or(u64::MAX, |total| total.div_ceil(PAGE_SIZE as u64));
        let pages = u32::try_from(pages).unwrap_or(u32::MAX).saturating_sub(self.calls);
        let is_search = self.work() != Work::Native;
        let expected = if is_search && self.calls > 0 { pages } else { recent.min(pages) };
        expected.min(self.options.calls.remaining())
    }

    fn work(&self) -> Work {
        match &self.plan.prefilter {
            _ if self.plan.sort.is_some() => Work::Scan,
            Some(_) => Work::Prefiltered,
            None if self.plan.residual.is_empty() => Work::Native,
            None => Work::Scan,
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // Only a caller's walk that has ended shows how many calls a walk needs.
        let is_caller = matches!(self.options.mode, FetchMode::Execute(Priority::Caller));
        if is_caller && self.calls > 0 && !self.is_interrupted {
            self.source.expected_calls.record(self.work(), self.calls);
        }
    }
}
