//! What asking a question would do, told without asking any vendor: the same
//! walks as [`super::listing`], over what is kept.

use std::{sync::Arc, time::Duration};

use crate::{
    domain::query::ListQuery,
    vendors::plan::{Plan, PlanError},
};

use super::{
    CallEstimate, Directory, DirectoryError, PageRequest, Source,
    walk::{FetchMode, PredictedCall},
};

/// What asking a question would do.
#[derive(Debug)]
pub struct Explained {
    /// Whether the sources are merged, and not gone through one after the other.
    pub is_merged: bool,
    /// How many vendor calls the request may make.
    pub allowed: u32,
    /// How many it would make.
    pub calls: CallEstimate,
    /// Each source's part, in the question's order.
    pub sources: Vec<ExplainedSource>,
}

/// A source's part in answering a question.
#[derive(Debug)]
pub struct ExplainedSource {
    /// The source.
    pub source: Arc<Source>,
    /// How the question is put to it, or why it cannot be.
    pub plan: Result<Arc<Plan>, PlanError>,
    /// The requests whose answers it would be made of, as far as what is kept
    /// tells: what follows an answer that is not kept depends on it.
    pub requests: Vec<ExplainedRequest>,
    /// How many vendor calls it costs.
    pub calls: CallEstimate,
}

/// A request to a vendor, as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedRequest {
    /// The whole URL; the credential is not in it.
    pub url: String,
    /// How old the kept answer is, where there is one that would be used.
    pub age: Option<Duration>,
    /// Whether the vendor would be asked: for want of a kept answer, or to
    /// renew a stale one behind the caller's back.
    pub is_sent: bool,
}

impl Directory {
    /// Says what asking for a page would do. Asks no vendor.
    pub async fn explain(&self, question: &ListQuery, request: &PageRequest) -> Result<Explained, DirectoryError> {
        let (_, cursor) = self.opened(question, request)?;
        let mut listing = self.listing(question, request, cursor, FetchMode::DryRun)?;
        listing.page(request.limit).await?;
        let allowed = self.allowed(request);
        let sources = listing.explain(allowed);
        let sum = |count: fn(&CallEstimate) -> u32| sources.iter().map(|source| count(&source.calls)).sum::<u32>();
        let reconfigured = |request: &&ExplainedRequest| request.is_sent && request.age.is_some();
        let renewals = sources.iter().flat_map(|source| &source.requests).filter(reconfigured).count();
        // Renewals are nobody's call, so that no budget bounds them.
        let most = allowed.saturating_add(u32::try_from(renewals).unwrap_or(u32::MAX));
        let calls = CallEstimate { min: sum(|it| it.min), max: sum(|it| it.max).min(most) };
        Ok(Explained { is_merged: listing.is_merged(), allowed, calls, sources })
    }
}

impl ExplainedRequest {
    /// A page that a walk would come through.
    pub(super) fn new(source: &Source, call: &PredictedCall) -> Self {
        Self {
            url: source.upstream().url(&call.request),
            age: call.kept.as_ref().map(|entry| source.age(entry)),
            is_sent: call.is_sent,
        }
    }
}
