//! Spans of requests and vendor calls at a collector.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::{join, join_all};
use insta::assert_debug_snapshot;
use tokio::sync::Semaphore;

use super::{PAGE, get_with_headers, long_list, received_headers, traced_gateway};
use crate::support::{Collector, Gateway, Reply, SECRET, ScriptedVendor, caller, config, tolt_page, tolt_row, until};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn page() -> Reply {
    Reply::json(&tolt_page(&[tolt_row("cust_1")], false))
}

async fn traced_vendor() -> (Collector, ScriptedVendor, Gateway) {
    let (collector, vendor) = (Collector::start().await, ScriptedVendor::start(|_, _| page()).await);
    let gateway = traced_gateway(&vendor, &collector).await;
    (collector, vendor, gateway)
}

#[tokio::test]
async fn miss_span_contains_a_vendor_call_span() {
    let (collector, vendor, gateway) = traced_vendor().await;
    get_with_headers(&gateway, PAGE, &[("x-request-id", "abc")]).await.ok();
    let spans = collector.spans(&gateway, 2).await;
    let (server, mut client) = (spans.server(), spans.client().clone());

    assert_eq!((&*server.name, &*client.name), ("GET /customers", "GET"));
    assert_eq!(server.parent_id, "");
    assert!(client.is_child_of(server), "{spans:#?}");
    assert_eq!(received_headers(&vendor, "traceparent"), [Some(client.traceparent())]);
    assert!(!server.is_error && !client.is_error);
    assert_debug_snapshot!(server.attributes, @r#"
    {
        "gateway.cache": "miss",
        "gateway.connection": "odd",
        "gateway.request_id": "abc",
        "gateway.vendor_calls": "1",
        "http.request.method": "GET",
        "http.response.status_code": "200",
        "http.route": "/customers",
    }
    "#);
    let port = client.attributes.insert("server.port".to_owned(), "[port]".to_owned()).unwrap();
    assert!(vendor.base_url.ends_with(&port), "{port}");
    assert_debug_snapshot!(client.attributes, @r#"
    {
        "gateway.connection": "odd",
        "http.request.method": "GET",
        "http.response.status_code": "200",
        "server.address": "127.0.0.1",
        "server.port": "[port]",
    }
    "#);
    assert_eq!(collector.resources()[0]["service.name"], "gateway-under-test");
}

#[tokio::test]
async fn hit_has_a_request_span_only() {
    let (collector, _vendor, gateway) = traced_vendor().await;
    for _ in 0..4 {
        get_with_headers(&gateway, PAGE, &[("traceparent", PARENT)]).await.ok();
    }
    let spans = collector.spans(&gateway, 5).await;
    assert_eq!(spans.clients().len(), 1);
    let caches: Vec<_> = spans.servers().iter().map(|span| span.attribute("gateway.cache")).collect();
    // The response cache answers from the third request on.
    assert_eq!(caches, ["miss", "hit", "hit", "hit"]);
    for server in spans.servers() {
        assert_eq!(server.name, "GET /customers");
        assert_eq!(server.attribute("gateway.connection"), "odd");
        assert_eq!((&*server.trace_id, &*server.parent_id), ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"));
    }
}

#[tokio::test]
async fn coalesced_requests_share_one_call_span() {
    let (collector, gate) = (Collector::start().await, Arc::new(Semaphore::new(0)));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| page().gated_by(&gate)
    })
    .await;
    let gateway = traced_gateway(&vendor, &collector).await;
    let opening = async {
        until(|| vendor.calls() == 1).await;
        // The other requests were sent before these requests.
        for _ in 0..10 {
            gateway.get("/livez").await.ok();
        }
        gateway.clock.advance(Duration::from_secs(3));
        gate.add_permits(1);
    };
    join(join_all((0..10).map(|_| gateway.get(PAGE))), opening).await;
    let spans = collector.spans(&gateway, 21).await;
    let herd: Vec<_> = spans.servers().into_iter().filter(|span| span.name == "GET /customers").collect();

    let client = spans.client();
    let callers: Vec<_> = herd.iter().filter(|server| client.is_child_of(server)).collect();
    assert_eq!(callers.len(), 1, "{spans:#?}");
    assert_eq!(callers[0].attribute("gateway.cache"), "miss");
    assert_eq!((client.duration, callers[0].duration), (Duration::from_secs(3), Duration::from_secs(3)));
    let collapsed = herd.iter().filter(|span| span.attribute("gateway.cache") == "collapsed").count();
    assert_eq!(collapsed, 9, "{spans:#?}");
    assert_eq!(received_headers(&vendor, "traceparent"), [Some(client.traceparent())]);
}

#[tokio::test]
async fn refresh_span_belongs_to_its_trigger() {
    let (collector, vendor, gateway) = traced_vendor().await;
    gateway.get(PAGE).await.ok();
    gateway.clock.advance(Duration::from_secs(31));
    gateway.get(PAGE).await.ok();
    let spans = collector.spans(&gateway, 4).await;
    let server = |cache: &str| {
        let servers = spans.servers();
        servers.into_iter().find(|span| span.attribute("gateway.cache") == cache).unwrap().clone()
    };
    let (miss, stale) = (server("miss"), server("stale"));
    assert_ne!(miss.trace_id, stale.trace_id);
    let parents: Vec<_> = spans.clients().iter().map(|span| span.parent_id.clone()).collect();
    assert_eq!(parents, [miss.span_id, stale.span_id]);
    assert_eq!(received_headers(&vendor, "traceparent")[1], Some(spans.clients()[1].traceparent()));
}

#[tokio::test]
async fn export_span_contains_all_its_calls() {
    let (collector, vendor) = (Collector::start().await, long_list().await);
    let gateway = traced_gateway(&vendor, &collector).await;
    let answer = get_with_headers(&gateway, PAGE, &[("accept", "application/x-ndjson")]).await;
    assert!(answer.text.contains(r#""status":"complete""#), "{}", answer.text);
    let spans = collector.spans(&gateway, 1 + vendor.calls()).await;
    assert_eq!(spans.clients().len(), 4);
    for client in spans.clients() {
        assert!(client.is_child_of(spans.server()), "{spans:#?}");
    }
}

#[tokio::test]
async fn sampling_follows_the_parent() {
    let (collector, vendor, gateway) = traced_vendor().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let state = "congo=t61rcWkgMzE";
    get_with_headers(&gateway, PAGE, &[("traceparent", parent), ("tracestate", state)]).await.ok();
    let sent = received_headers(&vendor, "traceparent")[0].clone().unwrap();
    assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && sent.ends_with("-00"), "{sent}");
    assert_eq!(received_headers(&vendor, "tracestate"), [Some(state.to_owned())]);
    // Only the second of these two requests is recorded.
    gateway.get("/livez").await.ok();
    assert_eq!(collector.spans(&gateway, 1).await.server().name, "GET /livez");

    let mut config = config(vec![vendor.connection("tolt")]);
    config.telemetry = Some(customer_gateway::telemetry::trace::Otlp { sample: 0.0, ..collector.otlp() });
    let gateway = Gateway::start(config).await;
    gateway.get("/livez").await.ok();
    get_with_headers(&gateway, PAGE, &[("traceparent", PARENT)]).await.ok();
    assert_eq!(collector.spans(&gateway, 3).await.client().trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[tokio::test]
async fn each_attempt_has_its_own_span() {
    let collector = Collector::start().await;
    let vendor = ScriptedVendor::start(|index, _| if index == 0 { Reply::text(503, "{}") } else { page() }).await;
    let gateway = traced_gateway(&vendor, &collector).await;
    gateway.get(PAGE).await.ok();
    let spans = collector.spans(&gateway, 3).await;
    let tries: Vec<_> = spans
        .clients()
        .iter()
        .map(|span| {
            let told =
                ["http.response.status_code", "error.type", "http.request.resend_count"].map(|it| span.attribute(it));
            (span.is_error, told)
        })
        .collect();
    assert_eq!(tries, [(true, ["503", "503", ""]), (false, ["200", "", "1"])]);
    let told: Vec<_> = spans.clients().iter().map(|span| Some(span.traceparent())).collect();
    assert_eq!(received_headers(&vendor, "traceparent"), told);
    assert!(!spans.server().is_error);
}

#[tokio::test]
async fn failed_span_has_an_error_type() {
    let collector = Collector::start().await;
    let vendor = ScriptedVendor::start(|_, _| page().gated_by(&Arc::new(Semaphore::new(0)))).await;
    let mut connection = vendor.connection("tolt");
    connection.timeout = Duration::from_millis(50);
    let unreachable = crate::support::connection("gone", "tolt", "http://127.0.0.1:1", SECRET, "account_1");
    let mut config = config(vec![connection, unreachable]);
    config.telemetry = Some(collector.otlp());
    let gateway = Gateway::start(config).await;

    gateway.get(PAGE).await.code(504);
    let spans = collector.spans(&gateway, 2).await;
    let (server, client) = (spans.server(), spans.client());
    assert!(server.is_error && client.is_error);
    assert_eq!((client.attribute("error.type"), client.attribute("http.response.status_code")), ("timeout", ""));
    assert_eq!(server.attribute("http.response.status_code"), "504");
    assert_eq!(server.attribute("error.type"), "deadline_exceeded");

    gateway.get("/customers?connection=gone").await;
    gateway.get("/nowhere").await.code(404);
    let spans = collector.spans(&gateway, 7).await;
    assert_eq!(spans.clients().last().unwrap().attribute("error.type"), "unreachable");
    // A caller's mistake is not a server error.
    let unknown = *spans.servers().last().unwrap();
    assert_eq!((&*unknown.name, unknown.is_error), ("GET", false));
    assert!(!unknown.attributes.contains_key("http.route"));
}

#[tokio::test]
async fn cancelled_request_span_is_recorded() {
    let (collector, gate) = (Collector::start().await, Arc::new(Semaphore::new(0)));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| page().gated_by(&gate)
    })
    .await;
    let gateway = traced_gateway(&vendor, &collector).await;
    let asking = tokio::spawn(reqwest::get(format!("{}{PAGE}", gateway.url)));
    until(|| vendor.calls() == 1).await;
    asking.abort();
    let server = collector.spans(&gateway, 1).await.server().clone();
    assert_eq!((server.is_error, server.attribute("error.type")), (true, "cancelled"));
    // The vendor call continues, and its response is cached.
    gate.add_permits(1);
    assert!(collector.spans(&gateway, 2).await.client().is_child_of(&server));
}

#[tokio::test]
async fn unknown_method_is_recorded_as_other() {
    let (collector, _vendor, gateway) = traced_vendor().await;
    let jim = reqwest::Method::from_bytes(b"JIM").unwrap();
    gateway.request(|client, url| client.request(jim, format!("{url}/customers"))).await.code(405);
    let server = collector.spans(&gateway, 1).await.server().clone();
    assert_eq!((&*server.name, server.attribute("http.request.method")), ("HTTP /customers", "_OTHER"));
}

#[tokio::test]
async fn spans_contain_no_query_and_no_secret() {
    const KEY: &str = "cgk_of_a_caller";
    let collector = Collector::start().await;
    let vendor = ScriptedVendor::start(|index, _| match index {
        0 => Reply::text(401, &format!(r#"{{"message": "bad key {SECRET} of jim@example.com"}}"#)),
        _ => page(),
    })
    .await;
    let mut config = config(vec![vendor.connection("tolt")]);
    config.telemetry = Some(collector.otlp());
    config.callers = vec![caller("billing", KEY, &["odd"])];
    let gateway = Gateway::start(config).await;
    for target in [
        "/customers?email=jim%40example.com",
        "/customers?email=jim%40example.com",
        "/customers?email=jim%40example.com&unknown=jim%40example.com",
        "/customers/odd.jim@example.com",
        "/jim@example.com",
    ] {
        gateway.get_as(KEY, target).await;
    }
    gateway.get_as("another_key", PAGE).await.code(401);
    let spans = collector.spans(&gateway, 9).await;
    let names: BTreeSet<_> = spans.servers().iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["GET", "GET /customers", "GET /customers/{id}"].into());
    assert!(spans.servers().iter().any(|span| span.attribute("gateway.caller") == "billing"));
    for body in collector.bodies() {
        let body = String::from_utf8_lossy(&body);
        for secret in ["jim", "example.com", SECRET, KEY, "another_key"] {
            assert!(!body.contains(secret), "{secret} in {body}");
        }
    }
}
