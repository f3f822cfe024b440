//! Configured connections.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::{
    cache::{
        CacheDirectives, Cached, Entry, FetchFailure, FreshEntries, HeldEntries, Key, List, Lookup, Neighbouring,
        PageCache, Peek, Row, Rows,
    },
    copies::Copies,
    domain::{
        anchor::{Anchor, Direction},
        connection::ConnectionName,
        parameter::Parameter,
        query::{ListQuery, Resource},
    },
    shared::{Fingerprint, SharedPages},
    upstream::{Reservation, Upstream},
    vendors::{
        Account, Call, RefusalKind, Vendor, VendorError, VendorRequest,
        capabilities::Capabilities,
        kind::VendorKind,
        plan::{Plan, PlanError, RetrievalPlan},
    },
};

use super::{
    DirectoryError, Freshness, Policies, Segment, SourceError, SourceMetrics, drift::DriftDetector,
    expected_calls::ExpectedCalls, vendor_call::SourceFetch,
};

/// Row of a source, looked up by its id.
pub(super) struct SourceRow {
    /// The row; `None` if the vendor has no such row.
    pub(super) record: Option<Segment>,
    pub(super) freshness: Freshness,
}

/// Configured connection with its vendor adapter, upstream and cached pages.
pub struct Source {
    name: ConnectionName,
    generation: u32,
    kind: &'static VendorKind,
    pub(super) adapter: Box<dyn Vendor>,
    pub(super) upstream: Upstream,
    cache: PageCache,
    /// Pages of the account that other replicas share.
    pub(super) shared_pages: Option<Arc<dyn SharedPages>>,
    pub(super) policies: Policies,
    pub(super) metrics: Arc<SourceMetrics>,
    pub(super) drift: DriftDetector,
    pub(super) expected_calls: ExpectedCalls,
    /// True after the vendor rejected a prefilter.
    rejects_prefilters: AtomicBool,
    shared_account: Option<Fingerprint>,
    /// Stored lists of the account, if configured.
    copies: Option<Arc<Copies>>,
}

impl Source {
    /// Creates a connection to an account. A new account under an existing
    /// connection name requires a new `generation`.
    #[must_use]
    pub fn new(
        kind: &'static VendorKind,
        account: Account,
        generation: u32,
        upstream: Upstream,
        cache: PageCache,
        policies: Policies,
        metrics: Arc<SourceMetrics>,
    ) -> Self {
        let name = account.connection.clone();
        let adapter = (kind.adapter)(account);
        let drift = DriftDetector::new(name.clone(), kind.documented, &metrics.registry, Arc::clone(&metrics.clock));
        let expected_calls = ExpectedCalls::default();
        let rejects_prefilters = AtomicBool::new(false);
        Self {
            name,
            generation,
            kind,
            adapter,
            upstream,
            cache,
            shared_pages: None,
            policies,
            metrics,
            drift,
            expected_calls,
            rejects_prefilters,
            shared_account: None,
            copies: None,
        }
    }

    /// Adds the stored lists of the account.
    #[must_use]
    pub fn with_copies(self, copies: Option<Arc<Copies>>) -> Self {
        Self { copies, ..self }
    }

    /// Returns the stored lists of the account, if configured.
    #[must_use]
    pub fn copies(&self) -> Option<&Arc<Copies>> {
        self.copies.as_ref()
    }

    /// Shares the state of the account with other replicas, under this name.
    #[must_use]
    pub fn with_shared_state(self, account: Fingerprint, pages: Option<Arc<dyn SharedPages>>) -> Self {
        Self { shared_account: Some(account), shared_pages: pages, ..self }
    }

    /// Returns the name of the account in the state that replicas share.
    #[must_use]
    pub fn shared_account(&self) -> Option<Fingerprint> {
        self.shared_account
    }

    /// Returns the generation of the account under this connection name.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Returns the name of the connection.
    #[must_use]
    pub fn name(&self) -> &ConnectionName {
        &self.name
    }

    /// Returns the kind of vendor.
    #[must_use]
    pub fn vendor(&self) -> &'static str {
        self.kind.name
    }

    /// Returns the capabilities of the vendor.
    #[must_use]
    pub fn capabilities(&self) -> &'static Capabilities {
        self.kind.capabilities
    }

    /// Returns whether the vendor or the gateway can apply a parameter of a query.
    #[must_use]
    pub fn supports(&self, query: &ListQuery, parameter: Parameter) -> bool {
        match Plan::new(self.capabilities(), query) {
            Ok(_) => true,
            Err(PlanError::Unsupported { parameter: unsupported, .. }) if unsupported == parameter => false,
            // A plan reports only its first error.
            Err(_) => self.capabilities().list(query.resource).is_some_and(|list| list.support(parameter).is_some()),
        }
    }

    /// Returns the metrics of the connection.
    #[must_use]
    pub fn metrics(&self) -> Arc<SourceMetrics> {
        Arc::clone(&self.metrics)
    }

    /// Returns the upstream of the connection.
    #[must_use]
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Returns true if a cached page may be served while the vendor fails.
    #[must_use]
    pub fn has_usable_entry(&self) -> bool {
        self.metrics.cache.has_usable_entry(self.metrics.elapsed())
    }

    /// Plans a list query, without a prefilter if the vendor rejects prefilters.
    pub(super) fn plan(&self, query: &ListQuery) -> Result<Plan, PlanError> {
        let plan = Plan::new(self.kind.capabilities, query)?;
        Ok(if self.rejects_prefilters.load(Relaxed) { plan.without_prefilter() } else { plan })
    }

    /// Records that the vendor rejects a prefilter with this parameter name.
    pub(super) fn record_prefilter_rejection(&self, parameter: &'static str) {
        if !self.rejects_prefilters.swap(true, Relaxed) {
            tracing::warn!(connection = %self.name, parameter, "vendor rejected a search parameter");
        }
    }

    /// Returns the cache key and the vendor request of a call.
    pub(super) fn key(&self, call: &Call) -> Result<(Key, VendorRequest), SourceError> {
        let request = self.adapter.request(call)?;
        // The rows of a page before an instant are stored in reverse, and another
        // list has the same request.
        let suffix = if matches!(call, Call::List(_, Anchor::From(_, Direction::Backward))) { "#reversed" } else { "" };
        // Each lookup builds a key, and `format!` takes longer.
        let target = [&*request.path, "?", &*request.query, suffix].concat().into();
        let (connection, generation, raw) = (self.name.clone(), self.generation, call.shape().raw);
        Ok((Key { connection, generation, target, raw }, request))
    }

    /// Returns the identity of a list in the cache.
    pub(super) fn list(&self, plan: &Arc<Plan>) -> Result<Arc<List>, SourceError> {
        let (key, _) = self.key(&Call::List(Arc::clone(plan), Anchor::Start))?;
        let (resource, shape, is_ordered) = (plan.resource, plan.shape.clone(), plan.order.is_some());
        Ok(Arc::new(List { resource, shape, start: key.target, is_ordered }))
    }

    /// Returns one customer from the cache, or fetches the customer on behalf of a
    /// request.
    pub(super) async fn retrieve(
        self: &Arc<Self>,
        plan: Arc<RetrievalPlan>,
        directives: CacheDirectives,
        reservation: &Arc<Reservation>,
    ) -> Result<SourceRow, SourceError> {
        if let Some(row) = self.stored_row(&plan, &directives) {
            return Ok(row);
        }
        let call = Call::Retrieve(Arc::clone(&plan));
        let cached = match self.fetch_entry(call, Some(self.row(&plan)), directives, reservation).await {
            Err(error) if error.allows_stale() => return self.stored_row_on_error(&plan, &directives).ok_or(error),
            cached => cached?,
        };
        let freshness = self.freshness(&cached);
        let page = &cached.entry.page;
        // A merged customer has another id.
        let index = page.find(&plan.vendor_id).unwrap_or(0);
        let record = || Segment { page: Arc::clone(page), records: index..index + 1 };
        Ok(SourceRow { record: cached.entry.found.then(record), freshness })
    }

    /// Predicts the cache lookup of one customer.
    pub(super) async fn peek_customer(
        &self,
        plan: &Arc<RetrievalPlan>,
        directives: &CacheDirectives,
    ) -> Result<Peek, SourceError> {
        let (peek, _) = self.peek(&Call::Retrieve(Arc::clone(plan)), Some(&self.row(plan)), directives).await?;
        Ok(peek)
    }

    /// Returns the page of a call from the cache, or another fresh page with the
    /// same rows, or fetches the page on behalf of a request.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        call: Call,
        rows: Option<Rows>,
        directives: CacheDirectives,
        reservation: &Arc<Reservation>,
    ) -> Result<Cached, SourceError> {
        let cached = self.fetch_entry(call, rows, directives, reservation).await?;
        if cached.entry.found { Ok(cached) } else { Err(VendorError::NotFound.into()) }
    }

    /// Returns the entry of a call from the cache, or fetches the entry. The
    /// entry may state that the vendor has no such row.
    async fn fetch_entry(
        self: &Arc<Self>,
        call: Call,
        rows: Option<Rows>,
        directives: CacheDirectives,
        reservation: &Arc<Reservation>,
    ) -> Result<Cached, SourceError> {
        let (key, request) = self.key(&call)?;
        let (policy, metrics) = (self.policies.for_call(&call), Arc::clone(&self.metrics.cache));
        let lookup = Lookup { key, policy, directives, metrics, rows };
        let fetch = SourceFetch { source: Arc::clone(self), call, request, reservation: Arc::clone(reservation) };
        self.cache.get(lookup, fetch).await
    }

    /// Returns the row of a customer, which pages of customers may contain.
    fn row(&self, plan: &RetrievalPlan) -> Rows {
        Rows::One(Row {
            resource: Resource::Customers,
            shape: plan.shape.clone(),
            id: plan.vendor_id.as_str().into(),
            lifetime: self.policies.customers.fresh,
        })
    }

    /// Predicts the cache lookup of a call and returns the vendor request.
    pub(super) async fn peek(
        &self,
        call: &Call,
        rows: Option<&Rows>,
        directives: &CacheDirectives,
    ) -> Result<(Peek, VendorRequest), SourceError> {
        let (key, request) = self.key(call)?;
        Ok((self.cache.peek(&key, self.policies.for_call(call), directives, rows).await, request))
    }

    /// Returns the linked neighbour of a list's page, if it is a fresh hit.
    pub(super) fn follow(
        &self,
        entry: &Entry,
        direction: Direction,
        list: &List,
        directives: &CacheDirectives,
    ) -> Option<Neighbouring> {
        self.cache.follow(entry, direction, list, self.policies.for_list(list.resource), directives)
    }

    /// Returns held pages of the list of a call, if each of them is a fresh hit.
    pub(super) fn reuse(&self, call: &Call, held: &HeldEntries, directives: &CacheDirectives) -> Option<FreshEntries> {
        self.cache.reuse(held, self.policies.for_call(call), directives)
    }

    /// Returns the age of a cached page.
    pub(super) fn age(&self, entry: &Entry) -> Duration {
        self.cache.age(entry)
    }

    /// Returns the freshness of a response that consists of one cached page.
    pub(super) fn freshness(&self, cached: &Cached) -> Freshness {
        Freshness::new(cached, self.cache.age(&cached.entry))
    }

    /// Adds the name of this connection to an error.
    pub(super) fn with_connection(&self, error: SourceError) -> DirectoryError {
        match error {
            SourceError::Vendor { error: VendorError::NotFound, .. } => DirectoryError::NotFound,
            SourceError::Vendor { error, .. } if error.kind() == Some(RefusalKind::CursorRejected) => {
                DirectoryError::CursorExpired(self.name.clone())
            }
            error => DirectoryError::Source(self.name.clone(), error),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).field("vendor", &self.kind.name).finish_non_exhaustive()
    }
}
