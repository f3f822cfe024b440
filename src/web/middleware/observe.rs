//! Observation of requests: one log line, metrics and, with a collector, a span.
//!
//! Callers cannot choose label values: routes are templates, and callers and
//! connections come from the configuration. Queries are never recorded, because
//! they may contain e-mail addresses.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use metrics::Counter;
use opentelemetry::Context;

use crate::{
    clock::SharedClock,
    telemetry::{
        log::{LineLabels, RequestLine},
        metrics::{Histogram, MetricCache, Registry},
        request::{NONE, RequestNotes},
        trace::{Span, Tracer},
    },
    web::middleware::{
        record::{RequestLabels, RequestOutcome, ResponseOrigin},
        span,
    },
};

/// Records requests. Clones share the metrics.
#[derive(Clone)]
pub(crate) struct Observer {
    registry: Registry,
    metrics: Arc<MetricCache<MetricsKey, RequestMetrics>>,
    tracer: Tracer,
    clock: SharedClock,
}

/// A request in progress.
pub(crate) struct InFlightRequest {
    route: Arc<str>,
    start: Duration,
    span: Span,
    notes: RequestNotes,
}

/// Records hits of one cached response.
#[derive(Clone)]
pub(crate) struct HitRecorder {
    labels: RequestLabels,
    line: LineLabels,
    tracer: Tracer,
    /// Metrics of responses with status 200.
    ok: RequestMetrics,
    /// Metrics of responses with status 304.
    not_modified: RequestMetrics,
}

/// Route, status and caller.
type MetricsKey = (Arc<str>, StatusCode, Arc<str>);

/// Metrics of the requests with one key.
#[derive(Clone)]
struct RequestMetrics {
    requests: Counter,
    duration: Histogram,
}

/// Durations of a request.
#[derive(Debug, Clone, Copy)]
struct Durations {
    /// Time from the request to the response head.
    total: Duration,
    /// Part of `total` spent waiting for vendors.
    vendor: Duration,
}

impl Observer {
    /// Creates an observer.
    pub(crate) fn new(registry: Registry, tracer: Tracer, clock: SharedClock) -> Self {
        Self { registry, metrics: Arc::default(), tracer, clock }
    }

    /// Starts the observation of a request.
    pub(crate) fn begin(&self, method: &Method, route: Arc<str>, headers: &HeaderMap) -> InFlightRequest {
        let span = self.tracer.serve(headers, || span::describe(method, &route));
        InFlightRequest { route, start: self.clock.elapsed(), span, notes: RequestNotes::default() }
    }

    /// Records the outcome of a request and returns the labels.
    pub(crate) fn record(&self, in_flight: InFlightRequest, outcome: &RequestOutcome<'_>) -> RequestLabels {
        let InFlightRequest { route, start, span, notes } = in_flight;
        let notes = notes.snapshot();
        let or_none = |name: Option<Arc<str>>| name.unwrap_or_else(|| NONE.into());
        let labels = RequestLabels { route, caller: or_none(notes.caller), connections: or_none(notes.connections) };
        let durations = Durations { total: self.clock.elapsed().saturating_sub(start), vendor: notes.waited };
        self.metrics(&labels, outcome.status).record(durations.total);
        log(&line_labels(&labels), outcome, durations, Some(&span), || self.clock.now());
        span::end(span, &labels, outcome);
        labels
    }

    /// Returns a recorder for hits of a cached response.
    pub(crate) fn hits(&self, labels: RequestLabels) -> HitRecorder {
        HitRecorder {
            ok: self.metrics(&labels, StatusCode::OK),
            not_modified: self.metrics(&labels, StatusCode::NOT_MODIFIED),
            tracer: self.tracer.clone(),
            line: line_labels(&labels),
            labels,
        }
    }

    fn metrics(&self, labels: &RequestLabels, status: StatusCode) -> RequestMetrics {
        let key = (Arc::clone(&labels.route), status, Arc::clone(&labels.caller));
        self.metrics.get_or_register(&key, || {
            let labels = &[("route", &*labels.route), ("status", status.as_str()), ("caller", &*labels.caller)];
            let help = "Requests, by route, status and caller.";
            let requests = self.registry.counter("gateway_requests_total", help, labels);
            let help = "Time from the request to the response head.";
            let duration = self.registry.histogram("gateway_request_duration_seconds", help, &labels[..1]);
            RequestMetrics { requests, duration }
        })
    }
}

impl InFlightRequest {
    /// Returns the context that the request runs in.
    pub(crate) fn context(&self) -> Context {
        self.span.context().with_value(self.notes.clone())
    }
}

impl HitRecorder {
    /// Starts the span of a hit, if the request names a trace or spans are exported.
    pub(crate) fn begin(&self, headers: &HeaderMap, has_trace: bool) -> Option<Span> {
        let is_traced = has_trace || self.tracer.is_exporting();
        is_traced.then(|| self.tracer.serve(headers, || span::describe(&Method::GET, &self.labels.route)))
    }

    /// Records a hit that ended at `now`.
    pub(crate) fn record(
        &self,
        span: Option<Span>,
        status: StatusCode,
        request_id: &str,
        duration: Duration,
        now: Timestamp,
    ) {
        let metrics = if status == StatusCode::NOT_MODIFIED { &self.not_modified } else { &self.ok };
        metrics.record(duration);
        let origin = Some(ResponseOrigin { cache: "hit", vendor_calls: 0 });
        let outcome = RequestOutcome { status, request_id, code: None, origin };
        log(&self.line, &outcome, Durations { total: duration, vendor: Duration::ZERO }, span.as_ref(), || now);
        if let Some(span) = span {
            span::end(span, &self.labels, &outcome);
        }
    }
}

impl RequestMetrics {
    fn record(&self, duration: Duration) {
        self.requests.increment(1);
        self.duration.record(duration);
    }
}

fn line_labels(RequestLabels { route, caller, connections }: &RequestLabels) -> LineLabels {
    LineLabels::new(Arc::clone(caller), Arc::clone(route), Arc::clone(connections))
}

/// Writes the log line of a request. `now` returns the time of day.
fn log(
    labels: &LineLabels,
    outcome: &RequestOutcome<'_>,
    durations: Durations,
    span: Option<&Span>,
    now: impl FnOnce() -> Timestamp,
) {
    let (cache, vendor_calls) = outcome.origin.map_or((NONE, 0), |origin| (origin.cache, origin.vendor_calls));
    let line = RequestLine {
        request_id: outcome.request_id,
        trace_id: span.and_then(Span::trace_id),
        labels,
        status: outcome.status.as_u16(),
        code: outcome.code,
        cache,
        vendor_calls,
        duration: durations.total,
        vendor_duration: durations.vendor,
    };
    line.write(now);
}

impl std::fmt::Debug for HitRecorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HitRecorder").field("labels", &self.labels).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}
