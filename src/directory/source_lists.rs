//! Stored lists of a source: questions that they answer, and rows that update them.

use std::{sync::Arc, time::Duration};

use crate::{
    cache::{CacheDirectives, CacheStatus, ListVerdict},
    copies::{Copies, Fetched, ListCopy, Question, Stored},
    domain::{
        anchor::Anchor,
        filter::Filter,
        page::RecordPage,
        priority::Priority,
        query::{ListQuery, Order, Resource, Shape},
    },
    upstream::CallerShare,
    vendors::{Call, VendorError, plan::RetrievalPlan},
};

use super::{Freshness, Segment, Source, SourceError, SourceRow, planned_source::ListUse, walk::CopiedSource};

impl Source {
    /// Returns the stored list that can decide a query, as the caller's directives allow
    /// its use.
    pub(super) fn stored_list(&self, query: &ListQuery, directives: &CacheDirectives) -> Option<ListUse> {
        let copies = self.copies()?;
        let stored = copies.list(query.resource)?.usable()?;
        let question = Question::new(query, self.default_order(query.resource))?;
        let source = |status| CopiedSource { stored: Arc::clone(&stored), question, status };
        match self.list_verdict(copies, &stored, query.resource, directives) {
            ListVerdict::Serve(status) => Some(ListUse::Fresh(source(status))),
            ListVerdict::OnError(status) => Some(ListUse::OnError(source(status))),
            ListVerdict::Refuse => None,
        }
    }

    /// Returns a customer from the stored list. `None` if the list lacks the customer,
    /// who may be newer than the list.
    pub(super) fn stored_row(&self, plan: &RetrievalPlan, directives: &CacheDirectives) -> Option<SourceRow> {
        match self.find_row(plan, directives)? {
            (row, ListVerdict::Serve(_)) => Some(row),
            _ => None,
        }
    }

    /// Returns a customer from the stored list after the vendor has failed.
    pub(super) fn stored_row_on_error(&self, plan: &RetrievalPlan, directives: &CacheDirectives) -> Option<SourceRow> {
        self.find_row(plan, directives).map(|(row, _)| row)
    }

    fn find_row(&self, plan: &RetrievalPlan, directives: &CacheDirectives) -> Option<(SourceRow, ListVerdict)> {
        let copies = self.copies()?;
        let stored = copies.list(Resource::Customers)?.usable()?;
        if plan.shape != Shape::default() {
            return None;
        }
        let verdict = self.list_verdict(copies, &stored, Resource::Customers, directives);
        let (ListVerdict::Serve(status) | ListVerdict::OnError(status)) = verdict else { return None };
        let row = stored.list.find(&plan.vendor_id)?;
        let page = Arc::new(stored.list.page([row]));
        let age = self.list_age(&stored);
        let freshness = Freshness::of_list(stored, status, age);
        Some((SourceRow { record: Some(Segment { page, records: 0..1 }), freshness }, verdict))
    }

    /// Returns the time since the start of the walk that a stored list rests on.
    pub(super) fn list_age(&self, stored: &Stored) -> Duration {
        self.metrics.elapsed().saturating_sub(stored.synced)
    }

    /// Returns true if the newest rows of a list come first.
    #[must_use]
    pub fn lists_newest_first(&self, resource: Resource) -> bool {
        self.default_order(resource) == Some(Order::Desc)
    }

    fn default_order(&self, resource: Resource) -> Option<Order> {
        self.capabilities().list(resource)?.default_order
    }

    /// Reads the page of a whole list at an anchor from the vendor, after all other
    /// calls.
    pub async fn read_page(
        self: &Arc<Self>,
        resource: Resource,
        anchor: &Anchor,
    ) -> Result<Arc<RecordPage>, SourceError> {
        let query = ListQuery { resource, filter: Filter::default(), order: None, shape: Shape::default() };
        // A vendor with the list supports the query without parameters.
        let plan = self.plan(&query).map_err(|_| SourceError::from(VendorError::NotFound))?;
        self.read(Call::List(Arc::new(plan), anchor.clone()), Priority::Export).await
    }

    /// Reads a customer from the vendor. `None` if the vendor has no such customer.
    pub async fn read_customer(self: &Arc<Self>, id: &str) -> Result<Option<Arc<RecordPage>>, SourceError> {
        let (vendor_id, shape) = (id.to_owned(), Shape::default());
        let plan = RetrievalPlan { vendor_id, expand: Vec::new(), shape };
        match self.read(Call::Retrieve(Arc::new(plan)), Priority::Caller).await {
            Err(SourceError::Vendor { error: VendorError::NotFound, .. }) => Ok(None),
            page => page.map(Some),
        }
    }

    async fn read(self: &Arc<Self>, call: Call, priority: Priority) -> Result<Arc<RecordPage>, SourceError> {
        let reservation = self.upstream().reservation(CallerShare::unrestricted(), priority, Duration::MAX);
        let directives = CacheDirectives { no_cache: true, no_store: true, ..CacheDirectives::default() };
        let cached = self.fetch(call, None, directives, &Arc::new(reservation)).await?;
        Ok(Arc::clone(&cached.entry.page))
    }

    /// Begins a fetch whose rows update a stored list. Rows of other shapes have other
    /// content.
    pub(super) fn begin_update(&self, call: &Call) -> Option<ListUpdate> {
        let resource = match call {
            Call::Retrieve(_) => Resource::Customers,
            Call::List(plan, _) => plan.resource,
        };
        let list = self.copies()?.list(resource).filter(|_| *call.shape() == Shape::default())?;
        let purges = *list.purges().borrow();
        Some(ListUpdate { list: Arc::clone(list), started: self.metrics.elapsed(), purges })
    }

    fn list_verdict(
        &self,
        copies: &Copies,
        stored: &Stored,
        resource: Resource,
        directives: &CacheDirectives,
    ) -> ListVerdict {
        let policy = self.policies.for_list(resource);
        CacheStatus::of_list(self.list_age(stored), copies.settings.max_age, &policy, directives)
    }
}

/// Fetch whose rows update a stored list.
pub(super) struct ListUpdate {
    list: Arc<ListCopy>,
    /// Start of the fetch, on the clock of the process.
    started: Duration,
    /// Number of purges of the list before the start.
    purges: u64,
}

impl ListUpdate {
    /// Passes the page to the list.
    pub(super) fn end(self, page: &RecordPage) {
        let Self { list, started, purges } = self;
        list.offer(Fetched { page: Arc::new(page.clone()), started, purges });
    }
}
