//! What a caller is told when a vendor refuses, fails, or cannot be reached.

mod faults;
mod redirects;
mod secrets;
mod unreachable;

use crate::support::Answer;

/// A problem of a vendor's in two lines: the answer, and what the vendor said.
fn told(answer: &Answer) -> String {
    let problem = answer.problem();
    let retry = Some(answer.header("retry-after")).filter(|it| !it.is_empty());
    let retry = retry.map(|seconds| format!(" (retry after {seconds} s)")).unwrap_or_default();
    let vendor = problem.get("vendor").map(|said| format!("\n    {said}")).unwrap_or_default();
    format!("{}{retry}{vendor}", answer.line())
}
