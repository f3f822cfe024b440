//! A trace collector: receives OTLP over HTTP, and records the spans.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use customer_gateway::telemetry::trace::Otlp;
use http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, any_value::Value},
    trace::v1::{Span as WireSpan, span::SpanKind, status::StatusCode as SpanStatus},
};
use prost::Message;
use tokio::{net::TcpListener, task::JoinHandle};

use super::Gateway;

/// A collector on a free port, closed when dropped.
pub(crate) struct Collector {
    pub(crate) url: String,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    bodies: Mutex<Vec<Bytes>>,
    headers: Mutex<Vec<HeaderMap>>,
    refusals: Mutex<Option<StatusCode>>,
}

/// A received span.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) is_server: bool,
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    /// Empty for a root span.
    pub(crate) parent_id: String,
    pub(crate) is_error: bool,
    /// Duration by the gateway's clock.
    pub(crate) duration: Duration,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// Spans, in order of arrival.
#[derive(Debug)]
pub(crate) struct Spans(pub(crate) Vec<Span>);

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let router = Router::new().route("/v1/traces", post(receive)).with_state(Arc::clone(&seen));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen, task }
    }

    /// Returns a configuration that sends every span to this collector.
    pub(crate) fn otlp(&self) -> Otlp {
        otlp_to(&self.url)
    }

    /// Sets the status of later responses, which record nothing. `None`
    /// restores 200.
    pub(crate) fn respond_with(&self, status: Option<StatusCode>) {
        *self.seen.refusals.lock().unwrap() = status;
    }

    /// Returns the received bodies, byte for byte.
    pub(crate) fn bodies(&self) -> Vec<Bytes> {
        self.seen.bodies.lock().unwrap().clone()
    }

    /// Returns the received headers.
    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.seen.headers.lock().unwrap().clone()
    }

    /// Returns the resource attributes of the received spans.
    pub(crate) fn resources(&self) -> Vec<BTreeMap<String, String>> {
        let resources = self.requests().into_iter().flat_map(|request| request.resource_spans);
        resources.map(|spans| attributes(spans.resource.unwrap().attributes)).collect()
    }

    /// Flushes the gateway until this many spans have arrived, and returns the
    /// spans.
    pub(crate) async fn spans(&self, gateway: &Gateway, count: usize) -> Spans {
        loop {
            gateway.flush().await;
            let requests = self.requests().into_iter().flat_map(|request| request.resource_spans);
            let spans = requests.flat_map(|spans| spans.scope_spans).flat_map(|spans| spans.spans);
            let spans: Vec<_> = spans.map(Span::of).collect();
            if spans.len() >= count {
                assert_eq!(spans.len(), count, "{spans:#?}");
                return Spans(spans);
            }
        }
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        self.bodies().into_iter().map(|body| ExportTraceServiceRequest::decode(body).unwrap()).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns a configuration that sends every span to a collector.
pub(crate) fn otlp_to(url: &str) -> Otlp {
    Otlp {
        traces_url: format!("{url}/v1/traces").parse().unwrap(),
        headers: HeaderMap::new(),
        service_name: "gateway-under-test".to_owned(),
        sample: 1.0,
    }
}

impl Spans {
    /// Returns the spans of requests.
    pub(crate) fn servers(&self) -> Vec<&Span> {
        self.0.iter().filter(|span| span.is_server).collect()
    }

    /// Returns the spans of vendor calls.
    pub(crate) fn clients(&self) -> Vec<&Span> {
        self.0.iter().filter(|span| !span.is_server).collect()
    }

    /// Returns the only request's span.
    pub(crate) fn server(&self) -> &Span {
        let servers = self.servers();
        assert_eq!(servers.len(), 1, "{self:#?}");
        servers[0]
    }

    /// Returns the only vendor call's span.
    pub(crate) fn client(&self) -> &Span {
        let clients = self.clients();
        assert_eq!(clients.len(), 1, "{self:#?}");
        clients[0]
    }
}

impl Span {
    fn of(span: WireSpan) -> Self {
        Self {
            is_server: span.kind() == SpanKind::Server,
            is_error: span.status.as_ref().is_some_and(|status| status.code() == SpanStatus::Error),
            trace_id: hex(&span.trace_id),
            span_id: hex(&span.span_id),
            parent_id: hex(&span.parent_span_id),
            duration: Duration::from_nanos(span.end_time_unix_nano - span.start_time_unix_nano),
            attributes: attributes(span.attributes),
            name: span.name,
        }
    }

    /// Returns an attribute, empty if absent.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// Returns true if the span is a child of `parent`.
    pub(crate) fn is_child_of(&self, parent: &Self) -> bool {
        self.trace_id == parent.trace_id && self.parent_id == parent.span_id
    }

    /// Returns the `traceparent` that a recorded span sends to a vendor.
    pub(crate) fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace_id, self.span_id)
    }
}

async fn receive(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if let Some(status) = *seen.refusals.lock().unwrap() {
        return status;
    }
    seen.headers.lock().unwrap().push(headers);
    seen.bodies.lock().unwrap().push(body);
    StatusCode::OK
}

fn attributes(attributes: Vec<opentelemetry_proto::tonic::common::v1::KeyValue>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|attribute| (attribute.key, text(attribute.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("unexpected attribute type: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
