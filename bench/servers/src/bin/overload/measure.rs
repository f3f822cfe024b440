//! Figures of a run.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use crate::{clients::Outcome, vendor::Call};

/// Number of windows over which the used share of the limit is averaged.
const WINDOWS: u32 = 20;

/// Returns the calls that arrived in a period of `length`, as a fraction of the
/// limit. The result is the mean of periods that start within a second of
/// `from`, because calls arrive in bursts.
pub fn used(calls: &[Call], from: Instant, length: Duration, limit: u32) -> f64 {
    let length = length - Duration::from_secs(1);
    let count = |window: u32| {
        let from = from + Duration::from_secs(1) * window / WINDOWS;
        calls.iter().filter(|call| from <= call.arrived && call.arrived < from + length).count() as f64
    };
    (0..WINDOWS).map(count).sum::<f64>() / f64::from(WINDOWS) / (f64::from(limit) * length.as_secs_f64())
}

/// Returns the partner ids of the requests whose clients read a response with
/// status 200.
pub fn answered(outcomes: &[Outcome], complete: bool) -> HashSet<&str> {
    let is_useful = |outcome: &&Outcome| {
        outcome.answer.as_ref().is_some_and(|answer| answer.status == 200 && (answer.is_complete || !complete))
    };
    outcomes.iter().filter(is_useful).map(|outcome| outcome.partner.as_str()).collect()
}

/// Returns the fraction of calls for answered requests.
pub fn useful(calls: &[Call], answered: &HashSet<&str>) -> f64 {
    let useful = calls.iter().filter(|call| call.is_answered && answered.contains(call.partner.as_str())).count();
    useful as f64 / calls.len().max(1) as f64
}

/// Returns the largest number of calls that arrived in any second.
pub fn worst_second(calls: &[Call]) -> usize {
    let count = |(index, first): (usize, &Call)| {
        calls[index..].iter().take_while(|call| call.arrived < first.arrived + Duration::from_secs(1)).count()
    };
    calls.iter().enumerate().map(count).max().unwrap_or(0)
}

/// Returns the number of outcomes with a status.
pub fn with_status(outcomes: &[Outcome], status: u16) -> usize {
    outcomes.iter().filter(|outcome| outcome.answer.as_ref().is_some_and(|answer| answer.status == status)).count()
}

/// Returns the number of rejected requests, and the number of those without
/// `Retry-After`.
pub fn rejected(outcomes: &[Outcome]) -> (usize, usize) {
    let rejected = outcomes.iter().filter_map(|outcome| outcome.answer.as_ref());
    let rejected: Vec<_> = rejected.filter(|answer| matches!(answer.status, 429 | 503)).collect();
    (rejected.len(), rejected.iter().filter(|answer| !answer.has_retry_after).count())
}

/// Returns a percentile of the waits of the answered requests.
pub fn wait(outcomes: &[Outcome], percentile: f64) -> Duration {
    let answered = outcomes.iter().filter(|outcome| outcome.answer.as_ref().is_some_and(|it| it.status == 200));
    let mut waits: Vec<_> = answered.map(|outcome| outcome.waited).collect();
    waits.sort_unstable();
    let last = waits.len().saturating_sub(1);
    waits.get((last as f64 * percentile).round() as usize).copied().unwrap_or_default()
}
