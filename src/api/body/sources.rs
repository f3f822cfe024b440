//! The account of what each source contributed to a page.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    directory::{self, SourceOutcome},
    domain::timestamp::Timestamp,
    web::problem::{Problem, SourceProblem},
};

/// What a connection contributed to a page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceReport<'r> {
    /// The connection's name.
    #[schema(example = "affiliates")]
    connection: &'r str,
    /// The kind of vendor.
    #[schema(example = "tolt")]
    vendor: &'static str,
    /// How it went there. An open list: `ok`; `partial`, where the call budget
    /// was spent before its part was whole (`next_cursor` goes on);
    /// `not_asked`, where this page needed nothing of it; `failed`, where it is
    /// in trouble and `partial=allow` left it out, its place kept in the
    /// cursor; `skipped`, where it cannot honour the question and was left out.
    #[schema(example = "ok", extensions(("x-extensible-enum" = json!(["ok", "partial", "not_asked", "failed", "skipped"]))))]
    status: &'static str,
    /// The connection's own count of the question; null whenever that is not
    /// exactly known.
    #[schema(value_type = Option<i64>, example = 85)]
    total: Option<u64>,
    /// When the oldest of the vendor's answers behind this page was fetched;
    /// null where there is none.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    fetched_at: Option<Timestamp>,
    /// Why it `failed` or was `skipped`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<SourceProblem>,
}

impl<'r> SourceReport<'r> {
    /// The account of a source, for callers.
    pub(crate) fn of(report: &'r directory::SourceReport) -> Self {
        let (status, fetched_at, problem) = match &report.outcome {
            SourceOutcome::Answered { is_partial, fetched_at, shortfall, .. } => {
                let truncated = |shortfall| directory::DirectoryError::Truncated(report.connection.clone(), shortfall);
                let problem = shortfall.map(|shortfall| Problem::from(truncated(shortfall)));
                (if *is_partial || problem.is_some() { "partial" } else { "ok" }, *fetched_at, problem)
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
