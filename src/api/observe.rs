//! What is seen of each request: a line in the log, and figures by route,
//! status and caller.
//!
//! Routes are templates, callers and connections are the configuration's: no
//! label is a caller's to choose, and nothing here quotes a query, which may
//! hold somebody's e-mail address.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use metrics::{Counter, Histogram};

use crate::{cache::CacheStatus, clock::SharedClock, directory::Freshness, telemetry::metrics::Registry};

/// Counts and logs requests. Clones share the figures.
#[derive(Clone)]
pub(super) struct Observer {
    registry: Registry,
    clock: SharedClock,
}

/// Who asked for what.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// The route's template.
    pub(super) route: Arc<str>,
    /// The caller's name.
    pub(super) caller: Arc<str>,
}

/// What an answer was made of; handlers leave it in their response's
/// extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    cache: &'static str,
    vendor_calls: u32,
}

/// What became of a request.
#[derive(Debug)]
pub(super) struct Outcome<'r> {
    /// The answer's status.
    pub(super) status: StatusCode,
    /// The request's id.
    pub(super) request_id: &'r str,
    /// The problem's code, where the answer is one.
    pub(super) code: Option<&'static str>,
    /// What the answer was made of, where it was made of pages.
    pub(super) made: Option<Made>,
    /// How long it took to the head of the answer.
    pub(super) took: Duration,
}

/// The figures of one subject's hits, looked up once.
#[derive(Clone)]
pub(super) struct Hits {
    subject: Subject,
    registry: Registry,
    requests: [Counter; 2],
    duration: Histogram,
}

impl Made {
    /// Of the pages behind an answer.
    pub(super) fn of(freshness: &Freshness) -> Self {
        Self { cache: cache_state(&freshness.status), vendor_calls: freshness.calls }
    }
}

fn cache_state(status: &CacheStatus) -> &'static str {
    match (status.forward, status.detail) {
        (None, None) => "hit",
        (_, Some(_)) => "stale",
        (Some(forward), None) if forward.collapsed => "collapsed",
        (Some(_), None) => "miss",
    }
}

impl Observer {
    pub(super) fn new(registry: Registry, clock: SharedClock) -> Self {
        Self { registry, clock }
    }

    /// The time since some fixed instant.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Notes a request that the router answered.
    pub(super) fn note(&self, subject: &Subject, outcome: &Outcome<'_>) {
        self.requests(subject, outcome.status).increment(1);
        self.registry.record(&self.duration(subject), outcome.took.as_secs_f64());
        let calls = outcome.made.map_or(0, |made| made.vendor_calls);
        if calls > 0 {
            let help = "Vendor calls that answers to a caller were made with.";
            let labels = &[("caller", &*subject.caller)];
            self.registry.counter("gateway_caller_vendor_calls_total", help, labels).increment(calls.into());
        }
        log(subject, outcome);
    }

    /// The figures of requests that are answered again.
    pub(super) fn hits(&self, subject: Subject) -> Hits {
        Hits {
            requests: [StatusCode::OK, StatusCode::NOT_MODIFIED].map(|status| self.requests(&subject, status)),
            duration: self.duration(&subject),
            registry: self.registry.clone(),
            subject,
        }
    }

    fn requests(&self, subject: &Subject, status: StatusCode) -> Counter {
        let labels = &[("route", &*subject.route), ("status", status.as_str()), ("caller", &*subject.caller)];
        self.registry.counter("gateway_requests_total", "Requests, by route, status and caller.", labels)
    }

    fn duration(&self, subject: &Subject) -> Histogram {
        let help = "How long requests took, to the head of the answer.";
        self.registry.histogram("gateway_request_duration_seconds", help, &[("route", &*subject.route)])
    }
}

impl Hits {
    /// Notes a request that was answered again.
    pub(super) fn note(&self, status: StatusCode, request_id: &str, took: Duration) {
        self.requests[usize::from(status == StatusCode::NOT_MODIFIED)].increment(1);
        self.registry.record(&self.duration, took.as_secs_f64());
        let made = Some(Made { cache: "hit", vendor_calls: 0 });
        log(&self.subject, &Outcome { status, request_id, code: None, made, took });
    }
}

/// One line for each request.
fn log(subject: &Subject, outcome: &Outcome<'_>) {
    let Outcome { status, request_id, code, made, took } = outcome;
    let (route, caller, status) = (&*subject.route, &*subject.caller, status.as_u16());
    let (cache, vendor_calls) = made.map_or(("-", 0), |made| (made.cache, made.vendor_calls));
    let took = took.as_secs_f64();
    if status >= 500 {
        tracing::warn!(target: "request", request_id, caller, route, status, code, cache, vendor_calls, took);
    } else {
        tracing::info!(target: "request", request_id, caller, route, status, code, cache, vendor_calls, took);
    }
}

impl std::fmt::Debug for Hits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hits").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}
