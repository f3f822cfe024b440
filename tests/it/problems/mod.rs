//! Problem documents: every error that a caller can cause names its remedy.

mod callers;
mod cursors;
mod http;
mod kept_connections;
mod pages;
mod parameters;
mod quotas;
mod rows;

use crate::support::{Gateway, StageBuilder, sandbox};

/// Returns a stage with a few rows of both vendors.
fn stage() -> StageBuilder<'static> {
    StageBuilder::new(sandbox(30, 30, 30))
}

/// Returns the problem of each target, one per line.
async fn lines(gateway: &Gateway, targets: &[&str]) -> String {
    let mut lines = Vec::new();
    for target in targets {
        lines.push(format!("{target}\n    {}", gateway.get(target).await.problem_line()));
    }
    lines.join("\n")
}
