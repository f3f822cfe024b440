//! Sources of a list with their plans.

use std::sync::Arc;

use crate::{
    domain::position::SourcePosition,
    vendors::plan::{Plan, PlanError},
};

use super::{DirectoryError, PageRequest, Source, walk::CopiedSource};

/// Source of a list with its plan and its position.
pub(super) struct PlannedSource {
    pub(super) source: Arc<Source>,
    /// Plan of the query, or the reason why the source does not support it.
    pub(super) plan: Result<Plan, PlanError>,
    pub(super) position: SourcePosition,
    /// The stored list that can decide the query, if there is one.
    pub(super) list: Option<ListUse>,
}

/// Use of a stored list.
pub(super) enum ListUse {
    /// The list answers the query.
    Fresh(CopiedSource),
    /// The list answers the query only if the vendor fails.
    OnError(CopiedSource),
}

/// Rejects a query that a source does not support, unless the source may be
/// skipped. At least one source must support the query.
pub(super) fn check_plans<'p>(
    plans: impl Iterator<Item = (&'p Source, Option<&'p PlanError>)> + Clone,
    request: &PageRequest,
) -> Result<(), DirectoryError> {
    let may_skip = |error: &PlanError| match error {
        PlanError::NoSuchOperation => request.is_lenient || !request.are_named,
        PlanError::Unsupported { .. } | PlanError::CommaInList { .. } => request.is_lenient,
    };
    let none_supports_query = plans.clone().all(|(_, error)| error.is_some());
    for (source, error) in plans {
        if let Some(error) = error
            && (none_supports_query || !may_skip(error))
        {
            return Err(DirectoryError::Plan(source.name().clone(), error.clone()));
        }
    }
    Ok(())
}
