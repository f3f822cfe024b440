//! Options of a walk's reads.

use crate::{cache::CacheDirectives, domain::priority::Priority, upstream::CallerShare};

use super::{super::Deadline, CallBudget, ScanOptions};

/// Options for reading pages.
#[derive(Debug, Clone)]
pub(in crate::directory) struct FetchOptions {
    /// Call budget of the request.
    pub(in crate::directory) calls: CallBudget,
    /// Limits of full scans.
    pub(in crate::directory) scan: ScanOptions,
    /// The caller's freshness requirements.
    pub(in crate::directory) directives: CacheDirectives,
    pub(in crate::directory) mode: FetchMode,
    /// Caller that vendor calls are charged to.
    pub(in crate::directory) caller: CallerShare,
    /// Instant by which the request must be answered.
    pub(in crate::directory) deadline: Deadline,
}

/// Mode of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::directory) enum FetchMode {
    /// The walk makes vendor calls with this priority.
    Execute(Priority),
    /// The walk reads cached pages and predicts vendor calls.
    DryRun,
}
