//! Problems for callers when a vendor refuses, fails or cannot be reached.

mod faults;
mod meanings;
mod redirects;
mod secrets;
mod unreachable;

use crate::support::Answer;

/// Summarizes a problem in two lines: the response, and the vendor's own error.
fn summarize(answer: &Answer) -> String {
    let problem = answer.problem();
    let retry = Some(answer.header("retry-after")).filter(|it| !it.is_empty());
    let retry = retry.map(|seconds| format!(" (retry after {seconds} s)")).unwrap_or_default();
    let vendor = problem.get("vendor").map(|said| format!("\n    {said}")).unwrap_or_default();
    format!("{}{retry}{vendor}", answer.problem_line())
}
