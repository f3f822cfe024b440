//! Sending spans to a collector, by OTLP over HTTP.

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

/// The SDK's batches: how long a batch may take with all its tries.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where spans go, and which.
#[derive(Debug, Clone, PartialEq)]
pub struct Otlp {
    /// Where the collector takes traces.
    pub traces_url: Url,
    /// What every request to it carries.
    pub headers: HeaderMap,
    /// The name that the gateway goes by.
    pub service_name: String,
    /// The share of traces, from 0 to 1, that are collected; of those that
    /// callers have begun, they decide.
    pub sample: f64,
}

/// Spans cannot be sent as configured.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ExporterError(#[from] ExporterBuildError);

/// The way to a collector. Spans wait in a bounded queue; what does not fit is
/// dropped.
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
            let help = "Spans that were recorded, and of those that were delivered to the collector or refused by it; \
                        others wait, or were dropped since too many did.";
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

    /// Sends what waits. Blocks until that is done, for a few seconds at most.
    pub(super) fn flush(&self) {
        // What could not be sent has been counted and logged.
        drop(self.provider.force_flush());
    }
}

/// The last spans are sent from a thread of their own: whoever drops this
/// cannot wait.
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

/// Counts what arrives, and says once when nothing does any more, and once when
/// it does again.
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
                    tracing::info!("spans are delivered again");
                }
            }
            Err(error) => {
                self.refused.increment(spans);
                if !self.is_failing.swap(true, Relaxed) {
                    tracing::warn!(%error, "spans cannot be delivered");
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
