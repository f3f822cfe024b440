//! Lists, single records, explanations and exports over all connections.
//!
//! A list walks the pages of each source, filters their rows and builds a page
//! with its cursors. The module has no knowledge of HTTP or of vendor formats.

mod batch;
mod cursors;
mod deadline;
mod drift;
mod error;
mod estimate;
mod expected_calls;
mod explain;
mod export;
mod fair_cache;
mod freshness;
mod limits;
mod list;
mod list_page;
mod listing;
mod metrics;
mod origin;
mod outcome;
mod page_builder;
mod page_request;
mod planned_source;
mod policies;
mod redaction;
mod shared_failure;
mod skip_policy;
mod sort_limit;
mod source;
mod source_batch;
mod source_error;
mod source_lists;
mod source_walk;
mod trail;
mod vendor_call;
mod walk;

use std::{fmt, sync::Arc};

use crate::{
    cache::{CacheDirectives, PageCache, Purged, Scope},
    clock::SharedClock,
    domain::{connection::ConnectionName, cursor::CursorKey, priority::Priority, query::Retrieval},
    shared::Values,
    upstream::CallerShare,
    vendors::plan::RetrievalPlan,
};
use cursors::Cursors;
pub use deadline::Deadline;
pub use error::DirectoryError;
pub use estimate::CallEstimate;
pub use explain::{Explained, ExplainedRequest, ExplainedSource};
pub use export::{Export, ExportPage};
pub use freshness::Freshness;
pub use limits::Limits;
pub use list_page::{ListPage, RetrievedRecord, Segment};
pub use listing::Strategy;
pub use metrics::SourceMetrics;
pub use origin::Origin;
pub use outcome::{SourceOutcome, SourceReport, UnservedRows};
pub use page_request::PageRequest;
use planned_source::PlannedSource;
pub use policies::Policies;
pub use sort_limit::SortLimit;
pub use source::Source;
use source::SourceRow;
pub use source_error::SourceError;
use trail::Trail;
use walk::Views;

/// All configured connections, with the state that their walks share.
pub struct Directory {
    sources: Vec<Arc<Source>>,
    cache: PageCache,
    cursors: Cursors,
    limits: Limits,
    trail: Trail,
    views: Views,
    clock: SharedClock,
}

impl Directory {
    /// Creates a directory of sources in configuration order.
    #[must_use]
    pub fn new(
        sources: Vec<Arc<Source>>,
        cache: PageCache,
        cursor_key: CursorKey,
        limits: Limits,
        clock: SharedClock,
    ) -> Self {
        let cursors = Cursors::new(cursor_key, None, Arc::clone(&clock));
        let (trail, views) = (Trail::new(None, Arc::clone(&clock)), Views::default());
        Self { sources, cache, cursors, limits, trail, views, clock }
    }

    /// Shares kept cursors and recorded steps with other replicas.
    #[must_use]
    pub fn sharing(self, values: Option<Arc<dyn Values>>) -> Self {
        let cursors = Cursors::new(self.cursors.key().clone(), values.clone(), Arc::clone(&self.clock));
        Self { cursors, trail: Trail::new(values, Arc::clone(&self.clock)), ..self }
    }

    /// Returns a directory of other sources that shares the cached pages, the
    /// sorted views and the kept cursors.
    #[must_use]
    pub fn reconfigured(&self, sources: Vec<Arc<Source>>, cursor_key: CursorKey, limits: Limits) -> Self {
        let (cache, cursors) = (self.cache.clone(), self.cursors.with_key(cursor_key));
        let (trail, views, clock) = (self.trail.clone(), self.views.clone(), Arc::clone(&self.clock));
        Self { sources, cache, cursors, limits, trail, views, clock }
    }

    /// Returns the key that authenticates cursors.
    #[must_use]
    pub fn cursor_key(&self) -> &CursorKey {
        self.cursors.key()
    }

    /// Returns the maximum number of vendor calls that a caller may set.
    #[must_use]
    pub fn max_calls(&self) -> u32 {
        self.limits.max_calls
    }

    /// Returns all sources, in configuration order.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().map(AsRef::as_ref)
    }

    /// Returns the source of a connection.
    pub fn source(&self, name: &ConnectionName) -> Result<&Arc<Source>, DirectoryError> {
        let found = self.sources.iter().find(|source| source.name() == name);
        found.ok_or_else(|| DirectoryError::UnknownConnection(name.to_string()))
    }

    /// Removes the cached pages of a scope, on all replicas.
    pub async fn purge(&self, scope: &Scope) -> Purged {
        self.cache.purge_everywhere(scope).await
    }

    /// Returns one customer. A vendor call is charged to the caller's share.
    pub async fn retrieve(
        &self,
        connection: &ConnectionName,
        retrieval: &Retrieval,
        directives: CacheDirectives,
        caller: CallerShare,
        deadline: Deadline,
    ) -> Result<RetrievedRecord, DirectoryError> {
        let source = self.source(connection)?;
        let plan = RetrievalPlan::new(source.capabilities(), retrieval)
            .map_err(|error| DirectoryError::Plan(connection.clone(), error))?;
        let reservation = Arc::new(source.upstream.reservation(caller, Priority::Caller, deadline.elapsed));
        let row = source.retrieve(Arc::new(plan), directives, &reservation).await;
        let SourceRow { record, freshness } = row.map_err(|error| source.with_connection(error))?;
        Ok(RetrievedRecord { record: record.ok_or(DirectoryError::NotFound)?, freshness })
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("sources", &self.sources).finish_non_exhaustive()
    }
}
