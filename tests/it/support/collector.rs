//! A collector of traces: takes OTLP over HTTP, and remembers what came.

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

/// A span as it came.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) is_server: bool,
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    /// Empty if it has none.
    pub(crate) parent_id: String,
    pub(crate) is_error: bool,
    /// By the gateway's clock.
    pub(crate) took: Duration,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// Spans, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Spans(pub(crate) Vec<Span>);

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&seen));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen, task }
    }

    /// A configuration that sends every span here.
    pub(crate) fn otlp(&self) -> Otlp {
        otlp_to(&self.url)
    }

    /// Answers from now on with this status, and keeps nothing; with 200 if
    /// there is none.
    pub(crate) fn refuse(&self, status: Option<StatusCode>) {
        *self.seen.refusals.lock().unwrap() = status;
    }

    /// What came, byte for byte.
    pub(crate) fn bodies(&self) -> Vec<Bytes> {
        self.seen.bodies.lock().unwrap().clone()
    }

    /// The headers that it came with.
    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.seen.headers.lock().unwrap().clone()
    }

    /// The names and resources' attributes of what came.
    pub(crate) fn resources(&self) -> Vec<BTreeMap<String, String>> {
        let resources = self.requests().into_iter().flat_map(|request| request.resource_spans);
        resources.map(|spans| attributes(spans.resource.unwrap().attributes)).collect()
    }

    /// The spans of a gateway, as soon as so many have come.
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

/// A configuration that sends every span to a collector.
pub(crate) fn otlp_to(url: &str) -> Otlp {
    Otlp {
        traces_url: format!("{url}/v1/traces").parse().unwrap(),
        headers: HeaderMap::new(),
        service_name: "gateway-under-test".to_owned(),
        sample: 1.0,
    }
}

impl Spans {
    /// The requests' spans.
    pub(crate) fn servers(&self) -> Vec<&Span> {
        self.0.iter().filter(|span| span.is_server).collect()
    }

    /// The vendor calls' spans.
    pub(crate) fn clients(&self) -> Vec<&Span> {
        self.0.iter().filter(|span| !span.is_server).collect()
    }

    /// The only request's span.
    pub(crate) fn server(&self) -> &Span {
        let servers = self.servers();
        assert_eq!(servers.len(), 1, "{self:#?}");
        servers[0]
    }

    /// The only vendor call's span.
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
            took: Duration::from_nanos(span.end_time_unix_nano - span.start_time_unix_nano),
            attributes: attributes(span.attributes),
            name: span.name,
        }
    }

    /// An attribute, empty if absent.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// Whether it is done within another.
    pub(crate) fn is_child_of(&self, parent: &Self) -> bool {
        self.trace_id == parent.trace_id && self.parent_id == parent.span_id
    }

    /// What whoever is asked within it is told of it, if it is recorded.
    pub(crate) fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace_id, self.span_id)
    }
}

async fn take(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Bytes) -> StatusCode {
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
        other => panic!("an attribute of another kind: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
