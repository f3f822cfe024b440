//! Export of spans to a collector, by OTLP over HTTP.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use http::HeaderMap;
use metrics::Counter;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{self, Sampler, SdkTracer, SdkTracerProvider, SpanData},
};
use url::Url;

use crate::{clock::SharedClock, telemetry::metrics::Registry};

/// Maximum duration of the export of one batch, including retries.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of the span export.
#[derive(Debug, Clone, PartialEq)]
pub struct Otlp {
    /// Traces endpoint of the collector.
    pub traces_url: Url,
    /// Headers of every request to the collector.
    pub headers: HeaderMap,
    /// Service name of the gateway in traces.
    pub service_name: String,
    /// Fraction of traces that are recorded, from 0 to 1. If a caller starts the
    /// trace, the caller decides.
    pub sample: f64,
}

/// Failure to create the span exporter.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ExporterError(#[from] ExporterBuildError);

/// Exporter of spans. Spans wait in a bounded queue; further spans are dropped.
pub(super) struct Exporter {
    provider: SdkTracerProvider,
    pub(super) tracer: SdkTracer,
    pub(super) clock: SharedClock,
    pub(super) recorded: Counter,
}

impl Exporter {
    pub(super) fn new(
        otlp: &Otlp,
        client: Arc<dyn HttpClient>,
        registry: &Registry,
        clock: SharedClock,
    ) -> Result<Self, ExporterError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_shared_http_client(client)
            .with_endpoint(otlp.traces_url.as_str())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        let count = |outcome| {
            let help = "Spans by outcome: recorded (all spans), delivered to the collector, or refused. \
                        Other recorded spans are waiting or were dropped.";
            registry.counter("gateway_spans_total", help, &[("outcome", outcome)])
        };
        let provider = SdkTracerProvider::builder()
            .with_resource(Resource::builder().with_service_name(otlp.service_name.clone()).build())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(otlp.sample))))
            .with_batch_exporter(MonitoredExporter {
                exporter,
                delivered: count("delivered"),
                refused: count("refused"),
                is_failing: AtomicBool::new(false),
            })
            .build();
        let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
        Ok(Self { provider, tracer, clock, recorded: count("recorded") })
    }

    /// Sends all waiting spans. Blocks for a few seconds at most.
    pub(super) fn flush(&self) {
        // A failure is counted and logged by `MonitoredExporter`.
        drop(self.provider.force_flush());
    }
}

/// Sends the last spans from a separate thread, because a drop must not block.
impl Drop for Exporter {
    fn drop(&mut self) {
        let provider = self.provider.clone();
        drop(thread::Builder::new().spawn(move || provider.shutdown()));
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}

/// Counts exported spans. Logs the first failure, and the first success after it.
#[derive(Debug)]
struct MonitoredExporter {
    exporter: SpanExporter,
    delivered: Counter,
    refused: Counter,
    is_failing: AtomicBool,
}

impl trace::SpanExporter for MonitoredExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let exported = self.exporter.export(batch).await;
        match &exported {
            Ok(()) => {
                self.delivered.increment(spans);
                if self.is_failing.swap(false, Relaxed) {
                    tracing::info!("span export recovered");
                }
            }
            Err(error) => {
                self.refused.increment(spans);
                if !self.is_failing.swap(true, Relaxed) {
                    tracing::warn!(%error, "span export failed");
                }
            }
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
