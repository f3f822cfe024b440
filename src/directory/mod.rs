//! The use case: which connection, walk its pages, filter the rest, make the
//! page.
//!
//! Knows neither HTTP nor a vendor's words: a question comes in, and bytes of
//! records go out with the cursors that lead on.

mod answer;
mod error;
mod source;
mod trail;
mod walk;

use std::sync::Arc;

use crate::{
    cache::{Demand, PageCache, Scope},
    domain::{
        connection::ConnectionName,
        cursor::{Cursor, CursorKey, Fingerprint},
        position::{Direction, Position},
        question::{Question, Retrieval},
    },
    vendors::{
        Call,
        plan::{Plan, RetrievalPlan},
    },
};
pub use answer::{Found, Freshness, Listed, Segment, SourceReport};
pub use error::{DirectoryError, SourceError};
pub use source::{Policies, Source};
use trail::Trail;
use walk::{Bounds, Walk};

/// Every configured connection, and the way through its pages.
#[derive(Debug)]
pub struct Directory {
    sources: Vec<Arc<Source>>,
    cache: PageCache,
    cursor_key: CursorKey,
    max_calls: u32,
    trail: Trail,
}

/// A page that a caller asks for.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// How many rows at most.
    pub limit: usize,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How fresh the answer has to be.
    pub demand: Demand,
}

impl Directory {
    /// A directory of some sources, in the configuration's order. A request
    /// makes at most `max_calls` vendor calls.
    #[must_use]
    pub fn new(sources: Vec<Source>, cache: PageCache, cursor_key: CursorKey, max_calls: u32) -> Self {
        let sources = sources.into_iter().map(Arc::new).collect();
        Self { sources, cache, cursor_key, max_calls, trail: Trail::default() }
    }

    /// Removes what is kept of a scope, and says how many entries went.
    pub async fn purge(&self, scope: &Scope) -> usize {
        self.cache.purge(scope).await
    }

    /// Every connection, in the configuration's order.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().map(AsRef::as_ref)
    }

    /// A page of a list over some connections.
    pub async fn list(
        &self,
        question: &Question,
        connections: &[ConnectionName],
        request: &PageRequest,
    ) -> Result<Listed, DirectoryError> {
        let [connection] = connections else {
            return Err(DirectoryError::SeveralConnections(connections.to_vec()));
        };
        let source = self.source(connection)?;
        let plan = Plan::new(source.capabilities(), question)
            .map_err(|error| DirectoryError::Plan(connection.clone(), error))?;

        let fingerprint = Fingerprint::of(question, connections);
        let (direction, position) = match &request.cursor {
            None => (Direction::Forward, Position::start()),
            Some(text) => {
                let cursor = self.cursor_key.open(text, fingerprint)?;
                let position = cursor.sources.into_iter().nth(usize::from(cursor.current)).flatten();
                (cursor.direction, position.unwrap_or_else(Position::start))
            }
        };

        let bounds = Bounds { max_calls: self.max_calls, demand: request.demand };
        let walk = Walk::new(source, plan, &self.trail, bounds);
        let walked = walk.run(&position, direction, request.limit).await?;
        let seal = |direction, position: Option<Position>| {
            let cursor =
                |position| Cursor { question: fingerprint, direction, current: 0, sources: vec![Some(position)] };
            position.map(|position| self.cursor_key.seal(&cursor(position))).transpose()
        };
        let sealed = |cursor: Result<_, _>| cursor.map_err(|_| DirectoryError::CursorTooLong(connection.clone()));
        Ok(Listed {
            next_cursor: sealed(seal(Direction::Forward, walked.after))?,
            prev_cursor: sealed(seal(Direction::Backward, walked.before))?,
            segments: walked.segments,
            sources: vec![walked.report],
            freshness: walked.freshness,
        })
    }

    /// One customer.
    pub async fn retrieve(
        &self,
        connection: &ConnectionName,
        retrieval: &Retrieval,
        demand: Demand,
    ) -> Result<Found, DirectoryError> {
        let source = self.source(connection)?;
        let plan = RetrievalPlan::new(source.capabilities(), retrieval)
            .map_err(|error| DirectoryError::Plan(connection.clone(), error))?;
        let call = Call::Retrieve(Arc::new(plan));
        let cached = source.fetch(call, demand).await.map_err(|error| source.blame(error))?;
        let freshness = source.freshness(&cached);
        Ok(Found { record: Segment { entry: cached.entry, records: 0..1 }, freshness })
    }

    fn source(&self, name: &ConnectionName) -> Result<&Arc<Source>, DirectoryError> {
        let found = self.sources.iter().find(|source| source.name() == name);
        found.ok_or_else(|| DirectoryError::UnknownConnection(name.to_string()))
    }
}
