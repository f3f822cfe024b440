//! What is seen of each request: a line in the log, figures by route, status
//! and caller, and a span where traces are collected.
//!
//! Routes are templates, callers and connections are the configuration's: no
//! label is a caller's to choose, and nothing here quotes a query, which may
//! hold somebody's e-mail address.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{HeaderMap, Method, StatusCode};
use metrics::{Counter, Histogram};
use opentelemetry::Context;
use parking_lot::RwLock;

use crate::{
    cache::CacheStatus,
    clock::SharedClock,
    directory::Freshness,
    telemetry::{
        metrics::Registry,
        request::{NONE, RequestNotes},
        trace::{Span, Tracer},
    },
};

use super::span;

/// Counts, logs and traces requests. Clones share the figures.
#[derive(Clone)]
pub(super) struct Observer {
    registry: Registry,
    /// Kept, since to look one up by its name costs more.
    figures: Arc<RwLock<HashMap<MetricsKey, RequestMetrics>>>,
    tracer: Tracer,
    clock: SharedClock,
}

/// Requests that are counted together: their route, status and caller.
type MetricsKey = (Arc<str>, StatusCode, Arc<str>);

/// What is counted of requests of one kind.
#[derive(Clone)]
struct RequestMetrics {
    requests: Counter,
    duration: Histogram,
}

/// A request that is being answered.
pub(super) struct InFlightRequest {
    route: Arc<str>,
    start: Duration,
    span: Span,
    notes: RequestNotes,
}

/// Who asked whom for what.
#[derive(Debug, Clone)]
pub(super) struct RequestLabels {
    /// The route's template.
    pub(super) route: Arc<str>,
    /// The caller's name.
    pub(super) caller: Arc<str>,
    /// The connections' names, joined by commas.
    pub(super) connections: Arc<str>,
}

/// What an answer was made of; handlers leave it in their response's
/// extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResponseOrigin {
    /// How the pages were come by, in a word.
    pub(super) cache: &'static str,
    /// How many vendor calls were made for them.
    pub(super) vendor_calls: u32,
}

/// What became of a request.
#[derive(Debug)]
pub(super) struct RequestOutcome<'r> {
    /// The answer's status.
    pub(super) status: StatusCode,
    /// The request's id.
    pub(super) request_id: &'r str,
    /// The problem's code, where the answer is one.
    pub(super) code: Option<&'static str>,
    /// What the answer was made of, where it was made of pages.
    pub(super) made: Option<ResponseOrigin>,
}

/// How long a request took.
#[derive(Debug, Clone, Copy)]
struct Durations {
    /// To the head of the answer.
    duration: Duration,
    /// For how long of this it waited for vendors.
    vendor_duration: Duration,
}

/// The figures of one subject's hits, looked up once.
#[derive(Clone)]
pub(super) struct HitRecorder {
    subject: RequestLabels,
    registry: Registry,
    tracer: Tracer,
    /// Of those answered in whole, and of those that had it already.
    figures: [RequestMetrics; 2],
}

impl ResponseOrigin {
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
    pub(super) fn new(registry: Registry, tracer: Tracer, clock: SharedClock) -> Self {
        Self { registry, figures: Arc::default(), tracer, clock }
    }

    /// Begins to watch a request.
    pub(super) fn begin(&self, method: &Method, route: Arc<str>, headers: &HeaderMap) -> InFlightRequest {
        let span = self.tracer.serve(headers, || span::describe(method, &route));
        InFlightRequest { route, start: self.clock.elapsed(), span, notes: RequestNotes::default() }
    }

    /// Notes what the router made of a request, and says what it was about.
    pub(super) fn note(&self, begun: InFlightRequest, outcome: &RequestOutcome<'_>) -> RequestLabels {
        let InFlightRequest { route, start, span, notes } = begun;
        let noted = notes.so_far();
        let or_none = |name: Option<Arc<str>>| name.unwrap_or_else(|| NONE.into());
        let subject = RequestLabels { route, caller: or_none(noted.caller), connections: or_none(noted.connections) };
        let times = Durations { duration: self.clock.elapsed().saturating_sub(start), vendor_duration: noted.waited };
        let figures = self.figures(&subject, outcome.status);
        figures.requests.increment(1);
        self.registry.record(&figures.duration, times.duration.as_secs_f64());
        log(&subject, outcome, times, &span);
        span::end(span, &subject, outcome);
        subject
    }

    /// The figures of requests that are answered again.
    pub(super) fn hits(&self, subject: RequestLabels) -> HitRecorder {
        HitRecorder {
            figures: [StatusCode::OK, StatusCode::NOT_MODIFIED].map(|status| self.figures(&subject, status)),
            registry: self.registry.clone(),
            tracer: self.tracer.clone(),
            subject,
        }
    }

    fn figures(&self, subject: &RequestLabels, status: StatusCode) -> RequestMetrics {
        let kind = (Arc::clone(&subject.route), status, Arc::clone(&subject.caller));
        if let Some(figures) = self.figures.read().get(&kind) {
            return figures.clone();
        }
        let labels = &[("route", &*subject.route), ("status", status.as_str()), ("caller", &*subject.caller)];
        let requests =
            self.registry.counter("gateway_requests_total", "Requests, by route, status and caller.", labels);
        let help = "How long requests took, to the head of the answer.";
        let duration = self.registry.histogram("gateway_request_duration_seconds", help, &labels[..1]);
        let figures = RequestMetrics { requests, duration };
        self.figures.write().insert(kind, figures.clone());
        figures
    }
}

impl InFlightRequest {
    /// What the request is answered within.
    pub(super) fn context(&self) -> Context {
        self.span.context().with_value(self.notes.clone())
    }
}

impl HitRecorder {
    /// Begins to watch a request that is answered again.
    pub(super) fn begin(&self, headers: &HeaderMap) -> Span {
        self.tracer.serve(headers, || span::describe(&Method::GET, &self.subject.route))
    }

    /// Notes a request that was answered again.
    pub(super) fn note(&self, span: Span, status: StatusCode, request_id: &str, duration: Duration) {
        let figures = &self.figures[usize::from(status == StatusCode::NOT_MODIFIED)];
        figures.requests.increment(1);
        self.registry.record(&figures.duration, duration.as_secs_f64());
        let made = Some(ResponseOrigin { cache: "hit", vendor_calls: 0 });
        let outcome = RequestOutcome { status, request_id, code: None, made };
        log(&self.subject, &outcome, Durations { duration, vendor_duration: Duration::ZERO }, &span);
        span::end(span, &self.subject, &outcome);
    }
}

/// One line for each request.
fn log(subject: &RequestLabels, outcome: &RequestOutcome<'_>, times: Durations, span: &Span) {
    let RequestOutcome { status, request_id, code, made } = outcome;
    let (route, caller, connection) = (&*subject.route, &*subject.caller, &*subject.connections);
    let (cache, vendor_calls) = made.map_or((NONE, 0), |made| (made.cache, made.vendor_calls));
    let (duration, vendor_duration) = (times.duration.as_secs_f64(), times.vendor_duration.as_secs_f64());
    let (status, trace_id) = (status.as_u16(), span.trace_id().map(tracing::field::display));
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "request",
                request_id, trace_id, caller, route, connection, status, code, cache, vendor_calls, duration, vendor_duration
            )
        };
    }
    if status >= 500 { line!(warn) } else { line!(info) }
}

impl std::fmt::Debug for HitRecorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hits").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}
