//! Traces: propagation of the caller's trace, and spans if a collector is
//! configured.
//!
//! Both are part of OpenTelemetry's [`Context`]. The middleware starts a context
//! per request, tasks of the request inherit it, and each vendor call sends it.
//! Without a collector there are no spans, and the vendor receives the caller's
//! headers.

mod export;
mod propagation;

use std::{borrow::Cow, sync::Arc, time::Duration};

use http::HeaderMap;
use jiff::Timestamp;
use opentelemetry::{
    Context, KeyValue,
    trace::{SpanBuilder, SpanKind, Status, TraceContextExt, TraceId, Tracer as _},
};
use opentelemetry_http::HttpClient;
use url::Url;

use crate::{clock::SharedClock, domain::connection::ConnectionName, telemetry::metrics::Registry};
use export::Exporter;
pub use export::{ExporterError, Otlp};
pub use propagation::inject;

/// Starts spans, and exports them if a collector is configured. Clones share the
/// exporter.
#[derive(Debug, Clone, Default)]
pub struct Tracer(Option<Arc<Exporter>>);

/// Starts the spans of one connection's vendor calls.
#[derive(Debug, Clone)]
pub struct VendorTracer {
    tracer: Tracer,
    attributes: Vec<KeyValue>,
}

/// Work within a trace, recorded as a span if spans are exported.
#[derive(Debug)]
pub struct Span {
    context: Context,
    recording: Option<Recording>,
}

/// A span that has not ended.
struct Recording {
    exporter: Arc<Exporter>,
    started_at: Timestamp,
    started: Duration,
    kind: SpanKind,
}

impl Tracer {
    /// Creates a tracer that exports spans from a separate thread. Must be called
    /// within a runtime.
    pub fn exporting(
        otlp: &Otlp,
        client: Arc<dyn HttpClient>,
        registry: &Registry,
        clock: SharedClock,
    ) -> Result<Self, ExporterError> {
        Ok(Self(Some(Arc::new(Exporter::new(otlp, client, registry, clock)?))))
    }

    /// Returns whether spans are exported.
    #[must_use]
    pub fn is_exporting(&self) -> bool {
        self.0.is_some()
    }

    /// Starts the span of a request, in its caller's trace if the request names one.
    #[must_use]
    pub fn serve(&self, request: &HeaderMap, describe: impl FnOnce() -> SpanBuilder) -> Span {
        self.start(SpanKind::Server, propagation::extract(request), describe)
    }

    /// Returns a tracer of a connection's vendor calls.
    #[must_use]
    pub fn vendor_tracer(&self, connection: &ConnectionName, base_url: &Url) -> VendorTracer {
        let mut attributes = vec![
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("server.address", base_url.host_str().unwrap_or_default().to_owned()),
            KeyValue::new("gateway.connection", connection.to_string()),
        ];
        attributes.extend(base_url.port_or_known_default().map(|port| KeyValue::new("server.port", i64::from(port))));
        VendorTracer { tracer: self.clone(), attributes }
    }

    /// Exports all ended spans. Returns when the export is done or has timed out.
    pub async fn flush(&self) {
        let Some(exporter) = self.0.clone() else { return };
        // `flush` blocks until the exporter's thread responds. Failures are counted
        // and logged there.
        drop(tokio::task::spawn_blocking(move || exporter.flush()).await);
    }

    fn start(&self, kind: SpanKind, parent: Context, describe: impl FnOnce() -> SpanBuilder) -> Span {
        let Some(exporter) = &self.0 else { return Span { context: parent, recording: None } };
        let (started_at, started) = (exporter.clock.now(), exporter.clock.elapsed());
        let builder = describe().with_kind(kind.clone()).with_start_time(started_at);
        let context = parent.with_span(exporter.tracer.build_with_context(builder, &parent));
        let is_recording = context.span().is_recording();
        let recording = is_recording.then(|| Recording { exporter: Arc::clone(exporter), started_at, started, kind });
        Span { context, recording }
    }
}

impl VendorTracer {
    /// Starts the span of an attempt, after `resends` earlier attempts.
    #[must_use]
    pub fn call(&self, resends: u32) -> Span {
        self.tracer.start(SpanKind::Client, Context::current(), || {
            let resends = (resends > 0).then(|| KeyValue::new("http.request.resend_count", i64::from(resends)));
            SpanBuilder::from_name("GET").with_attributes(self.attributes.iter().cloned().chain(resends))
        })
    }
}

impl Span {
    /// Returns the context for work within the span.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the id of the trace, if any.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        let id = self.context.span().span_context().trace_id();
        (id != TraceId::INVALID).then_some(id)
    }

    /// Ends the span. `error` is the `error.type` of the semantic conventions.
    pub fn end(mut self, error: Option<Cow<'static, str>>, attributes: impl FnOnce() -> Vec<KeyValue>) {
        if let Some(recording) = self.recording.take() {
            recording.end(&self.context, error, attributes());
        }
    }
}

/// Records cancelled work: a call that exceeded its deadline, or a request whose
/// caller disconnected.
impl Drop for Span {
    fn drop(&mut self) {
        if let Some(recording) = self.recording.take() {
            let error = if recording.kind == SpanKind::Client { "timeout" } else { "cancelled" };
            recording.end(&self.context, Some(error.into()), Vec::new());
        }
    }
}

impl Recording {
    fn end(self, context: &Context, error: Option<Cow<'static, str>>, attributes: Vec<KeyValue>) {
        let span = context.span();
        span.set_attributes(attributes);
        if let Some(error) = error {
            span.set_attribute(KeyValue::new("error.type", error));
            span.set_status(Status::error(""));
        }
        let duration = self.exporter.clock.elapsed().saturating_sub(self.started);
        let ended_at = self.started_at.saturating_add(duration).unwrap_or(self.started_at);
        span.end_with_timestamp(ended_at.into());
        self.exporter.recorded.increment(1);
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("kind", &self.kind).finish_non_exhaustive()
    }
}
