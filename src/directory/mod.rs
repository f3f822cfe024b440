//! The use case: which connection, walk its pages, filter the rest, make the
//! page.
//!
//! Knows neither HTTP nor a vendor's words: a question comes in, and bytes of
//! records go out with the cursors that lead on.

mod answer;
mod drift;
mod error;
mod estimate;
mod explain;
mod export;
mod listing;
mod metrics;
mod source;
mod trail;
mod walk;

use std::sync::Arc;

use crate::{
    cache::{CacheDirectives, PageCache, Scope},
    clock::SharedClock,
    domain::priority::Priority,
    domain::{
        anchor::Direction,
        connection::ConnectionName,
        cursor::{Cursor, CursorKey, Fingerprint},
        position::SourcePosition,
        query::{ListQuery, Retrieval},
    },
    upstream::CallerShare,
    vendors::{
        Call,
        plan::{Plan, PlanError, RetrievalPlan},
    },
};
pub use answer::{Freshness, ListPage, RetrievedRecord, Segment, SourceOutcome, SourceReport};
pub use error::{DirectoryError, SourceError};
pub use estimate::CallEstimate;
pub use explain::{Explained, ExplainedRequest, ExplainedSource};
pub use export::{Export, ExportPage};
use listing::{Listing, ListingOptions, SkipPolicy};
pub use metrics::SourceMetrics;
pub use source::{Policies, Source};
use trail::Trail;
use walk::{CallBudget, FetchMode, FetchOptions};

/// Every configured connection, and the way through its pages.
pub struct Directory {
    sources: Vec<Arc<Source>>,
    cache: PageCache,
    cursor_key: CursorKey,
    max_calls: u32,
    trail: Trail,
    clock: SharedClock,
}

/// A source with its plan, or why there is none, and where a walk stands in it.
type Planned = (Arc<Source>, Result<Plan, PlanError>, SourcePosition);

/// A page that a caller asks for.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// The connections to ask, in the configuration's order.
    pub connections: Vec<ConnectionName>,
    /// Whether they were named: what was not asked for by name may be left out
    /// where it has no such list.
    pub are_named: bool,
    /// Whether a connection that cannot honour the question is left out.
    pub is_lenient: bool,
    /// Whether a connection in trouble is left out of the page.
    pub allows_partial: bool,
    /// How many vendor calls it may cost, if fewer than configured.
    pub max_calls: Option<u32>,
    /// How many rows at most.
    pub limit: usize,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How fresh the answer has to be.
    pub directives: CacheDirectives,
    /// On whose account vendor calls are made, if it is bounded by a share.
    pub caller_share: Option<CallerShare>,
}

impl PageRequest {
    /// The first page of some connections' list.
    #[must_use]
    pub fn first(connections: Vec<ConnectionName>, limit: usize) -> Self {
        Self {
            connections,
            are_named: true,
            is_lenient: false,
            allows_partial: false,
            max_calls: None,
            limit,
            cursor: None,
            directives: CacheDirectives::default(),
            caller_share: None,
        }
    }
}

impl Directory {
    /// A directory of some sources, in the configuration's order. A request
    /// makes at most `max_calls` vendor calls.
    #[must_use]
    pub fn new(
        sources: Vec<Arc<Source>>,
        cache: PageCache,
        cursor_key: CursorKey,
        max_calls: u32,
        clock: SharedClock,
    ) -> Self {
        Self { sources, cache, cursor_key, max_calls, trail: Trail::default(), clock }
    }

    /// A directory of other sources, with what is kept in this one.
    #[must_use]
    pub fn reconfigured(&self, sources: Vec<Arc<Source>>, cursor_key: CursorKey, max_calls: u32) -> Self {
        let (cache, trail, clock) = (self.cache.clone(), self.trail.clone(), Arc::clone(&self.clock));
        Self { sources, cache, cursor_key, max_calls, trail, clock }
    }

    /// What authenticates cursors.
    #[must_use]
    pub fn cursor_key(&self) -> &CursorKey {
        &self.cursor_key
    }

    /// Removes what is kept of a scope, and says how many entries went.
    pub async fn purge(&self, scope: &Scope) -> usize {
        self.cache.purge(scope).await
    }

    /// How many vendor calls a request may make.
    #[must_use]
    pub fn max_calls(&self) -> u32 {
        self.max_calls
    }

    /// Every connection, in the configuration's order.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().map(AsRef::as_ref)
    }

    /// A page of a list over some connections.
    pub async fn list(&self, question: &ListQuery, request: &PageRequest) -> Result<ListPage, DirectoryError> {
        let (fingerprint, cursor) = self.opened(question, request)?;
        let mut listing = self.listing(question, request, cursor, FetchMode::Execute(Priority::Caller))?;
        let segments = listing.page(request.limit).await?;
        let [before, after] = listing.standings()?;
        let seal =
            |direction, sources| seal(&self.cursor_key, &Cursor { query: fingerprint, direction, sources }, request);
        Ok(ListPage {
            segments,
            next_cursor: seal(Direction::Forward, after)?,
            prev_cursor: seal(Direction::Backward, before)?,
            sources: listing.reports(),
            freshness: listing.take_freshness(),
        })
    }

    /// A question's fingerprint, and the cursor that came with it.
    fn opened(
        &self,
        question: &ListQuery,
        request: &PageRequest,
    ) -> Result<(Fingerprint, Option<Cursor>), DirectoryError> {
        let fingerprint = Fingerprint::new(question, &request.connections);
        let cursor = request.cursor.as_ref().map(|text| self.cursor_key.open(text, fingerprint)).transpose()?;
        Ok((fingerprint, cursor))
    }

    /// How many vendor calls a request may make.
    fn allowed(&self, request: &PageRequest) -> u32 {
        request.max_calls.map_or(self.max_calls, |calls| calls.min(self.max_calls))
    }

    /// The list of a question, from where a cursor stands.
    fn listing(
        &self,
        question: &ListQuery,
        request: &PageRequest,
        cursor: Option<Cursor>,
        manner: FetchMode,
    ) -> Result<Listing, DirectoryError> {
        let (direction, standings) = match cursor {
            None => (Direction::Forward, Vec::new()),
            Some(cursor) => (cursor.direction, cursor.sources),
        };
        let standings = standings.into_iter().chain(std::iter::repeat(SourcePosition::Start));
        let mut sources = Vec::new();
        for (name, standing) in request.connections.iter().zip(standings) {
            let source = self.source(name)?;
            sources.push((Arc::clone(source), Plan::new(source.capabilities(), question), standing));
        }
        refuse(&sources, request)?;
        let allowed = self.allowed(request);
        let asked = sources.iter().filter(|(_, plan, _)| plan.is_ok()).count();
        if question.order.is_some() && asked > allowed as usize {
            return Err(DirectoryError::MergeTooExpensive { sources: asked, allowed });
        }
        // Who waits for no answer in particular has no budget of calls.
        let is_export = manner == FetchMode::Execute(Priority::Background);
        let calls = if is_export { CallBudget::unbounded(allowed) } else { CallBudget::new(allowed) };
        let terms =
            FetchOptions { calls, directives: request.directives, manner, caller_share: request.caller_share.clone() };
        let skip_policy: SkipPolicy = match (request.allows_partial, is_export) {
            (false, _) => |_| false,
            (true, false) => DirectoryError::is_transient,
            // Who can wait does not do without.
            (true, true) => |error| error.is_transient() && !Export::is_rate_limited(error),
        };
        let options = ListingOptions { direction, order: question.order, skip_policy, terms };
        Ok(Listing::new(sources, &self.trail, options))
    }

    /// One customer, on the payer's account.
    pub async fn retrieve(
        &self,
        connection: &ConnectionName,
        retrieval: &Retrieval,
        directives: CacheDirectives,
        caller_share: Option<CallerShare>,
    ) -> Result<RetrievedRecord, DirectoryError> {
        let source = self.source(connection)?;
        let plan = RetrievalPlan::new(source.capabilities(), retrieval)
            .map_err(|error| DirectoryError::Plan(connection.clone(), error))?;
        let call = Call::Retrieve(Arc::new(plan));
        let cached = source.fetch(call, directives, Priority::Caller, caller_share).await;
        let cached = cached.map_err(|error| source.with_connection(error))?;
        let freshness = source.freshness(&cached);
        Ok(RetrievedRecord { record: Segment { entry: cached.entry, records: 0..1 }, freshness })
    }

    /// The connection of a name.
    pub fn source(&self, name: &ConnectionName) -> Result<&Arc<Source>, DirectoryError> {
        let found = self.sources.iter().find(|source| source.name() == name);
        found.ok_or_else(|| DirectoryError::UnknownConnection(name.to_string()))
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("sources", &self.sources).finish_non_exhaustive()
    }
}

/// The cursor that leads on, if anything lies ahead.
fn seal(key: &CursorKey, cursor: &Cursor, request: &PageRequest) -> Result<Option<String>, DirectoryError> {
    if cursor.sources.iter().all(|standing| standing.is_exhausted(cursor.direction)) {
        return Ok(None);
    }
    key.seal(cursor).map(Some).map_err(|_| match &*request.connections {
        [connection] => DirectoryError::CursorTooLong(connection.clone()),
        _ => DirectoryError::TooManyConnections,
    })
}

/// Refuses what cannot be asked of a source, unless it may be left out.
fn refuse(sources: &[Planned], request: &PageRequest) -> Result<(), DirectoryError> {
    let may_skip = |error: &PlanError| match error {
        PlanError::NoSuchOperation => request.is_lenient || !request.are_named,
        PlanError::Unsupported { .. } | PlanError::CommaInList { .. } => request.is_lenient,
    };
    let nobody = sources.iter().all(|(_, plan, _)| plan.is_err());
    for (source, plan, _) in sources {
        if let Err(error) = plan
            && (nobody || !may_skip(error))
        {
            return Err(DirectoryError::Plan(source.name().clone(), error.clone()));
        }
    }
    Ok(())
}
