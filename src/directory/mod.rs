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
mod freshness;
mod list;
mod list_page;
mod listing;
mod metrics;
mod outcome;
mod page_builder;
mod page_request;
mod planned_source;
mod policies;
mod redaction;
mod skip_policy;
mod source;
mod source_batch;
mod source_error;
mod source_walk;
mod trail;
mod vendor_call;
mod walk;

use std::{fmt, sync::Arc};

use crate::{
    cache::{CacheDirectives, PageCache, Scope},
    clock::SharedClock,
    domain::{connection::ConnectionName, cursor::CursorKey, priority::Priority, query::Retrieval},
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
pub use list_page::{ListPage, RetrievedRecord, Segment};
pub use metrics::SourceMetrics;
pub use outcome::{SourceOutcome, SourceReport, UnservedRows};
pub use page_request::PageRequest;
use planned_source::PlannedSource;
pub use policies::Policies;
pub use source::Source;
use source::SourceRow;
pub use source_error::SourceError;
use trail::Trail;

/// All configured connections, with the state that their walks share.
pub struct Directory {
    sources: Vec<Arc<Source>>,
    cache: PageCache,
    cursors: Cursors,
    max_calls: u32,
    trail: Trail,
    clock: SharedClock,
}

impl Directory {
    /// Creates a directory of sources in configuration order. A request makes
    /// at most `max_calls` vendor calls.
    #[must_use]
    pub fn new(
        sources: Vec<Arc<Source>>,
        cache: PageCache,
        cursor_key: CursorKey,
        max_calls: u32,
        clock: SharedClock,
    ) -> Self {
        Self { sources, cache, cursors: Cursors::new(cursor_key), max_calls, trail: Trail::default(), clock }
    }

    /// Returns a directory of other sources that shares the cached pages and the
    /// kept cursors.
    #[must_use]
    pub fn reconfigured(&self, sources: Vec<Arc<Source>>, cursor_key: CursorKey, max_calls: u32) -> Self {
        let (cache, trail, clock) = (self.cache.clone(), self.trail.clone(), Arc::clone(&self.clock));
        Self { sources, cache, cursors: self.cursors.with_key(cursor_key), max_calls, trail, clock }
    }

    /// Returns the key that authenticates cursors.
    #[must_use]
    pub fn cursor_key(&self) -> &CursorKey {
        self.cursors.key()
    }

    /// Returns the maximum number of vendor calls of a request.
    #[must_use]
    pub fn max_calls(&self) -> u32 {
        self.max_calls
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

    /// Removes the cached pages of a scope and returns their number.
    pub async fn purge(&self, scope: &Scope) -> usize {
        self.cache.purge(scope).await
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
