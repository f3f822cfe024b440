//! Log line of each request.

use std::{
    cell::RefCell,
    io,
    sync::{Arc, Once},
    time::Duration,
};

use futures_util::future::join;
use insta::assert_json_snapshot;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::get_with_headers;
use crate::support::{Gateway, Reply, SECRET, ScriptedVendor, config, connection, tolt_page, tolt_row, until};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

thread_local! {
    /// Log output of this thread, which runs all of a test's tasks.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writer of each thread's log lines.
struct Log;

/// Installs the log subscriber, once for all tests. A subscriber for one thread
/// may miss callsites that another thread has registered before.
fn capture_logs() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| tracing_subscriber::fmt().json().with_writer(|| Log).init());
    LOGGED.take();
}

/// Returns the log lines of requests.
fn request_lines() -> Vec<Value> {
    let text = LOGGED.with_borrow(|logged| String::from_utf8(logged.clone()).unwrap());
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["target"] == "request").collect()
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts a vendor whose responses wait for permits, and two connections to it.
async fn gated_vendor() -> (Arc<Semaphore>, ScriptedVendor, Gateway) {
    let gate = Arc::new(Semaphore::new(0));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| Reply::json(&tolt_page(&[tolt_row("cust_1")], false)).gated_by(&gate)
    })
    .await;
    let to = |name| connection(name, "tolt", &vendor.base_url, SECRET, "account_1");
    let gateway = Gateway::start(config(vec![to("one"), to("two")])).await;
    (gate, vendor, gateway)
}

/// Makes `calls` vendor calls wait for three seconds.
async fn hold_calls(calls: usize, gate: &Semaphore, vendor: &ScriptedVendor, gateway: &Gateway) {
    until(|| vendor.calls() == calls).await;
    gateway.clock.advance(Duration::from_secs(3));
    gate.add_permits(calls);
}

#[tokio::test]
async fn log_line_has_all_fields() {
    capture_logs();
    let (gate, vendor, gateway) = gated_vendor().await;
    let headers = [("x-request-id", "abc"), ("traceparent", PARENT)];
    join(
        get_with_headers(&gateway, "/customers?connection=one&email=jim%40example.com", &headers),
        hold_calls(1, &gate, &vendor, &gateway),
    )
    .await
    .0
    .ok();
    assert_json_snapshot!(request_lines()[0]["fields"], @r#"
    {
      "request_id": "abc",
      "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
      "caller": "-",
      "route": "/customers",
      "connection": "one",
      "status": 200,
      "cache": "miss",
      "vendor_calls": 1,
      "duration": 3.0,
      "vendor_duration": 3.0
    }
    "#);
}

#[tokio::test]
async fn log_line_of_a_hit_has_no_vendor_duration() {
    capture_logs();
    let (gate, _vendor, gateway) = gated_vendor().await;
    gate.add_permits(1);
    for _ in 0..3 {
        get_with_headers(&gateway, "/customers?connection=one", &[("traceparent", PARENT)]).await.ok();
    }
    // The second request is a page-cache hit, the third a response-cache hit.
    for line in &request_lines()[1..] {
        let fields = &line["fields"];
        assert_eq!((&fields["cache"], &fields["connection"]), (&"hit".into(), &"one".into()), "{fields}");
        assert_eq!(fields["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(fields["vendor_duration"], 0.0);
    }
}

#[tokio::test]
async fn log_line_without_connection_or_trace() {
    capture_logs();
    let (_gate, _vendor, gateway) = gated_vendor().await;
    gateway.get("/livez").await.ok();
    gateway.get("/customers?connection=nowhere").await.code(404);
    for line in request_lines() {
        assert_eq!(line["fields"]["connection"], "-");
        assert_eq!(line["fields"].get("trace_id"), None);
    }
}

#[tokio::test]
async fn log_line_names_the_requests_connections() {
    capture_logs();
    let (gate, _vendor, gateway) = gated_vendor().await;
    gate.add_permits(9);
    for target in
        ["/explain/customers?connection=two", "/connections/two", "/customers/two.cust_1/transactions", "/transactions"]
    {
        gateway.get(target).await;
    }
    for target in ["/cache?connection=two", "/cache?customer=two.cust_1"] {
        gateway.request(|client, url| client.delete(format!("{url}{target}"))).await.ok();
    }
    let named: Vec<_> = request_lines().iter().map(|line| line["fields"]["connection"].clone()).collect();
    assert_eq!(named, ["two", "two", "two", "one,two", "two", "two"]);
}

#[tokio::test]
async fn concurrent_vendor_waits_are_counted_once() {
    capture_logs();
    let (gate, vendor, gateway) = gated_vendor().await;
    join(gateway.get("/customers?order=asc"), hold_calls(2, &gate, &vendor, &gateway)).await.0.ok();
    let fields = request_lines()[0]["fields"].clone();
    assert_eq!((&fields["connection"], &fields["vendor_calls"]), (&"one,two".into(), &2.into()), "{fields}");
    assert_eq!((&fields["vendor_duration"], &fields["duration"]), (&3.0.into(), &3.0.into()));
}

#[tokio::test]
async fn coalesced_request_logs_its_vendor_wait() {
    capture_logs();
    let (gate, vendor, gateway) = gated_vendor().await;
    let target = "/customers?connection=one";
    let second = async {
        until(|| vendor.calls() == 1).await;
        gateway.get(target).await.ok();
    };
    let opening = async {
        until(|| vendor.calls() == 1).await;
        // The second request was sent before these requests.
        for _ in 0..10 {
            gateway.get("/livez").await.ok();
        }
        hold_calls(1, &gate, &vendor, &gateway).await;
    };
    futures_util::join!(gateway.get(target), second, opening);
    let lists: Vec<_> = request_lines().into_iter().filter(|line| line["fields"]["route"] == "/customers").collect();
    let waited: Vec<_> =
        lists.iter().map(|line| (&line["fields"]["cache"], &line["fields"]["vendor_duration"])).collect();
    assert_eq!(waited.len(), 2);
    for line in ["miss", "collapsed"].map(Value::from) {
        assert!(waited.contains(&(&line, &3.0.into())), "{waited:?}");
    }
}

#[tokio::test]
async fn log_line_of_a_failure_names_the_connection() {
    capture_logs();
    let vendor = ScriptedVendor::start(|_, _| Reply::text(401, "{}")).await;
    let gateway = vendor.gateway("tolt").await;
    gateway.get("/customers/odd.cust_1").await.code(502);
    let line = &request_lines()[0];
    assert_eq!(line["level"], "WARN");
    assert_eq!((&line["fields"]["connection"], &line["fields"]["status"]), (&"odd".into(), &502.into()));
    assert_eq!(line["fields"]["code"], "vendor_unauthorized");
}
