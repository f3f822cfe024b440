//! Contribution of each connection to a page.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    directory::{self, SourceOutcome},
    domain::timestamp::Timestamp,
    web::problem::{Problem, SourceProblem},
};

/// The contribution of a connection to a page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceReport<'r> {
    /// The name of the connection.
    #[schema(example = "affiliates")]
    connection: &'r str,
    /// The kind of vendor.
    #[schema(example = "tolt")]
    vendor: &'static str,
    /// The outcome for this connection. `ok`: the connection contributed its
    /// rows. `partial`: the call budget ran out before the connection was
    /// exhausted; `next_cursor` continues the list. `not_asked`: this page needed
    /// no rows of the connection. `failed`: the connection failed, with
    /// `partial=allow`; the cursor preserves its position. `skipped`: the
    /// connection does not support the request. New values may be added.
    #[schema(example = "ok", extensions(("x-extensible-enum" = json!(["ok", "partial", "not_asked", "failed", "skipped"]))))]
    status: &'static str,
    /// The number of rows of the connection that match the request. Null if the
    /// exact number is not known.
    #[schema(value_type = Option<i64>, example = 85)]
    total: Option<u64>,
    /// The time at which the oldest vendor response for this page was fetched.
    /// Null if there is none.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    fetched_at: Option<Timestamp>,
    /// The reason for `failed` or `skipped`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<SourceProblem>,
}

impl<'r> SourceReport<'r> {
    /// Converts the report of the directory.
    pub(crate) fn new(report: &'r directory::SourceReport) -> Self {
        let (status, fetched_at, problem) = match &report.outcome {
            SourceOutcome::Answered { is_partial, fetched_at, .. } => {
                (if *is_partial { "partial" } else { "ok" }, *fetched_at, None)
            }
            SourceOutcome::NotAsked => ("not_asked", None, None),
            SourceOutcome::Failed(error) => ("failed", None, Some(Problem::from(error.clone()))),
            SourceOutcome::Skipped(error) => {
                let error = directory::DirectoryError::Plan(report.connection.clone(), error.clone());
                ("skipped", None, Some(Problem::from(error)))
            }
        };
        Self {
            connection: report.connection.as_str(),
            vendor: report.vendor,
            status,
            total: report.outcome.total(),
            fetched_at: fetched_at.map(Timestamp::from),
            problem: problem.map(SourceProblem::from),
        }
    }
}
