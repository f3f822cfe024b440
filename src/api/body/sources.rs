//! Contribution of each connection to a page.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    directory::{self, Origin, SourceOutcome},
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
    /// rows. `partial`: the call budget or the request's time ran out before the
    /// connection was exhausted, and `next_cursor` continues the list; or the vendor
    /// ended the list before its own row count, and `problem` states both numbers.
    /// `not_asked`: this page needed no rows of the connection. `failed`: the
    /// connection failed, with `partial=allow`; the cursor preserves its position.
    /// `skipped`: the connection does not support the request. New values may be
    /// added.
    #[schema(example = "ok", extensions(("x-extensible-enum" = json!(["ok", "partial", "not_asked", "failed", "skipped"]))))]
    status: &'static str,
    /// The origin of the rows. `vendor`: vendor responses, cached or not. `sync`: the
    /// stored list of the connection, and `fetched_at` is the start of its walk. Null
    /// unless `status` is `ok` or `partial`. New values may be added.
    #[schema(
        value_type = Option<String>,
        example = "vendor",
        extensions(("x-extensible-enum" = json!(["vendor", "sync"])))
    )]
    origin: Option<&'static str>,
    /// The number of rows of the connection that match the request. Null if the
    /// exact number is not known.
    #[schema(value_type = Option<i64>, example = 85)]
    total: Option<u64>,
    /// The time at which the oldest vendor response for this page was fetched.
    /// Null if there is none.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-15T14:30:00.000Z")]
    fetched_at: Option<Timestamp>,
    /// Number of rows that the vendor sent and that cannot be served: null rows,
    /// and rows that are not objects, have no id or have an unreadable account.
    /// Counted in the vendor pages behind this page.
    #[schema(example = 0)]
    unreadable: u32,
    /// Number of rows that a filter could not decide, because the vendor's value
    /// of the filtered field is unreadable. The rows are not in the list.
    #[schema(example = 0)]
    undecided: u32,
    /// The ids of the request that the vendor does not have, in request order.
    /// Present if the request selects customers by `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW"]))]
    not_found: Option<&'r [String]>,
    /// The reason for `failed` or `skipped`, or for `partial` if the vendor ended
    /// the list early.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<SourceProblem>,
}

impl<'r> SourceReport<'r> {
    /// Converts the report of the directory.
    pub(crate) fn new(report: &'r directory::SourceReport) -> Self {
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
        let unserved = report.outcome.unserved();
        Self {
            connection: report.connection.as_str(),
            vendor: report.vendor,
            status,
            origin: report.outcome.origin().map(Origin::name),
            total: report.outcome.total(),
            fetched_at: fetched_at.map(Timestamp::from),
            unreadable: unserved.null.saturating_add(unserved.unreadable),
            undecided: unserved.undecided,
            not_found: report.not_found.as_deref(),
            problem: problem.map(SourceProblem::from),
        }
    }
}
