//! What is seen of each request: a line in the log, metrics by route, status
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
    clock::SharedClock,
    telemetry::{
        metrics::Registry,
        request::{NONE, RequestNotes},
        trace::{Span, Tracer},
    },
    web::middleware::{
        record::{RequestLabels, RequestOutcome, ResponseOrigin},
        span,
    },
};

/// Counts, logs and traces requests. Clones share the metrics.
#[derive(Clone)]
pub(crate) struct Observer {
    registry: Registry,
    /// Kept, since to look one up by its name costs more.
    metrics: Arc<RwLock<HashMap<MetricsKey, RequestMetrics>>>,
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
pub(crate) struct InFlightRequest {
    route: Arc<str>,
    start: Duration,
    span: Span,
    notes: RequestNotes,
}

/// How long a request took.
#[derive(Debug, Clone, Copy)]
struct Durations {
    /// To the head of the answer.
    duration: Duration,
    /// For how long of this it waited for vendors.
    vendor_duration: Duration,
}

/// The metrics of one labels's hits, looked up once.
#[derive(Clone)]
pub(crate) struct HitRecorder {
    labels: RequestLabels,
    registry: Registry,
    tracer: Tracer,
    /// Of those answered in whole, and of those that had it already.
    metrics: [RequestMetrics; 2],
}

impl Observer {
    pub(crate) fn new(registry: Registry, tracer: Tracer, clock: SharedClock) -> Self {
        Self { registry, metrics: Arc::default(), tracer, clock }
    }

    /// Begins to watch a request.
    pub(crate) fn begin(&self, method: &Method, route: Arc<str>, headers: &HeaderMap) -> InFlightRequest {
        let span = self.tracer.serve(headers, || span::describe(method, &route));
        InFlightRequest { route, start: self.clock.elapsed(), span, notes: RequestNotes::default() }
    }

    /// Notes what the router made of a request, and says what it was about.
    pub(crate) fn record(&self, in_flight: InFlightRequest, outcome: &RequestOutcome<'_>) -> RequestLabels {
        let InFlightRequest { route, start, span, notes } = in_flight;
        let noted = notes.snapshot();
        let or_none = |name: Option<Arc<str>>| name.unwrap_or_else(|| NONE.into());
        let labels = RequestLabels { route, caller: or_none(noted.caller), connections: or_none(noted.connections) };
        let times = Durations { duration: self.clock.elapsed().saturating_sub(start), vendor_duration: noted.waited };
        let metrics = self.metrics(&labels, outcome.status);
        metrics.requests.increment(1);
        self.registry.record(&metrics.duration, times.duration.as_secs_f64());
        log(&labels, outcome, times, &span);
        span::end(span, &labels, outcome);
        labels
    }

    /// The metrics of requests that are answered again.
    pub(crate) fn hits(&self, labels: RequestLabels) -> HitRecorder {
        HitRecorder {
            metrics: [StatusCode::OK, StatusCode::NOT_MODIFIED].map(|status| self.metrics(&labels, status)),
            registry: self.registry.clone(),
            tracer: self.tracer.clone(),
            labels,
        }
    }

    fn metrics(&self, labels: &RequestLabels, status: StatusCode) -> RequestMetrics {
        let kind = (Arc::clone(&labels.route), status, Arc::clone(&labels.caller));
        if let Some(metrics) = self.metrics.read().get(&kind) {
            return metrics.clone();
        }
        let labels = &[("route", &*labels.route), ("status", status.as_str()), ("caller", &*labels.caller)];
        let requests =
            self.registry.counter("gateway_requests_total", "Requests, by route, status and caller.", labels);
        let help = "How long requests took, to the head of the answer.";
        let duration = self.registry.histogram("gateway_request_duration_seconds", help, &labels[..1]);
        let metrics = RequestMetrics { requests, duration };
        self.metrics.write().insert(kind, metrics.clone());
        metrics
    }
}

impl InFlightRequest {
    /// What the request is answered within.
    pub(crate) fn context(&self) -> Context {
        self.span.context().with_value(self.notes.clone())
    }
}

impl HitRecorder {
    /// Begins to watch a request that is answered again.
    pub(crate) fn begin(&self, headers: &HeaderMap) -> Span {
        self.tracer.serve(headers, || span::describe(&Method::GET, &self.labels.route))
    }

    /// Notes a request that was answered again.
    pub(crate) fn record(&self, span: Span, status: StatusCode, request_id: &str, duration: Duration) {
        let metrics = &self.metrics[usize::from(status == StatusCode::NOT_MODIFIED)];
        metrics.requests.increment(1);
        self.registry.record(&metrics.duration, duration.as_secs_f64());
        let origin = Some(ResponseOrigin { cache: "hit", vendor_calls: 0 });
        let outcome = RequestOutcome { status, request_id, code: None, origin };
        log(&self.labels, &outcome, Durations { duration, vendor_duration: Duration::ZERO }, &span);
        span::end(span, &self.labels, &outcome);
    }
}

/// One line for each request.
fn log(labels: &RequestLabels, outcome: &RequestOutcome<'_>, times: Durations, span: &Span) {
    let RequestOutcome { status, request_id, code, origin } = outcome;
    let (route, caller, connection) = (&*labels.route, &*labels.caller, &*labels.connections);
    let (cache, vendor_calls) = origin.map_or((NONE, 0), |origin| (origin.cache, origin.vendor_calls));
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
        f.debug_struct("Hits").field("labels", &self.labels).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}
