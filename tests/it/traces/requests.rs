//! The line in the log for each request.

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

use super::ask;
use crate::support::{Gateway, Reply, SECRET, ScriptedVendor, config, connection, tolt_page, tolt_row, until};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

thread_local! {
    /// What is logged on this thread, which runs all of a test's tasks.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Where each thread's lines go.
struct Log;

/// Begins to listen. Once for all tests: what listens to one thread only may
/// miss what another has asked of before.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| tracing_subscriber::fmt().json().with_writer(|| Log).init());
    LOGGED.take();
}

/// The requests' lines.
fn lines() -> Vec<Value> {
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

/// A vendor whose answers wait for permits, and two connections to it.
async fn held() -> (Arc<Semaphore>, ScriptedVendor, Gateway) {
    let gate = Arc::new(Semaphore::new(0));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| Reply::json(&tolt_page(&[tolt_row("cust_1")], false)).held_by(&gate)
    })
    .await;
    let to = |name| connection(name, "tolt", &vendor.base_url, SECRET, "account_1");
    let gateway = Gateway::start(config(vec![to("one"), to("two")])).await;
    (gate, vendor, gateway)
}

/// Lets so many vendor calls wait for three seconds.
async fn hold(calls: usize, gate: &Semaphore, vendor: &ScriptedVendor, gateway: &Gateway) {
    until(|| vendor.calls() == calls).await;
    gateway.clock.advance(Duration::from_secs(3));
    gate.add_permits(calls);
}

#[tokio::test]
async fn a_line_says_all_there_is_to_say() {
    listen();
    let (gate, vendor, gateway) = held().await;
    let headers = [("x-request-id", "abc"), ("traceparent", PARENT)];
    join(
        ask(&gateway, "/customers?connection=one&email=jim%40example.com", &headers),
        hold(1, &gate, &vendor, &gateway),
    )
    .await
    .0
    .ok();
    assert_json_snapshot!(lines()[0]["fields"], @r#"
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
async fn a_hit_says_the_same_and_waited_for_nobody() {
    listen();
    let (gate, _vendor, gateway) = held().await;
    gate.add_permits(1);
    for _ in 0..3 {
        ask(&gateway, "/customers?connection=one", &[("traceparent", PARENT)]).await.ok();
    }
    // The second is the router's, the third the front's.
    for line in &lines()[1..] {
        let fields = &line["fields"];
        assert_eq!((&fields["cache"], &fields["connection"]), (&"hit".into(), &"one".into()), "{fields}");
        assert_eq!(fields["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(fields["vendor_duration"], 0.0);
    }
}

#[tokio::test]
async fn what_names_no_connection_and_no_trace_says_so() {
    listen();
    let (_gate, _vendor, gateway) = held().await;
    gateway.get("/livez").await.ok();
    gateway.get("/customers?connection=nowhere").await.code(404);
    for line in lines() {
        assert_eq!(line["fields"]["connection"], "-");
        assert_eq!(line["fields"].get("trace_id"), None);
    }
}

#[tokio::test]
async fn whatever_is_about_connections_names_them() {
    listen();
    let (gate, _vendor, gateway) = held().await;
    gate.add_permits(9);
    for target in
        ["/explain/customers?connection=two", "/connections/two", "/customers/two.cust_1/transactions", "/transactions"]
    {
        gateway.get(target).await;
    }
    for target in ["/cache?connection=two", "/cache?customer=two.cust_1"] {
        gateway.request(|client, url| client.delete(format!("{url}{target}"))).await.ok();
    }
    let named: Vec<_> = lines().iter().map(|line| line["fields"]["connection"].clone()).collect();
    assert_eq!(named, ["two", "two", "two", "one,two", "two", "two"]);
}

#[tokio::test]
async fn waits_at_the_same_time_count_once() {
    listen();
    let (gate, vendor, gateway) = held().await;
    join(gateway.get("/customers?order=asc"), hold(2, &gate, &vendor, &gateway)).await.0.ok();
    let fields = lines()[0]["fields"].clone();
    assert_eq!((&fields["connection"], &fields["vendor_calls"]), (&"one,two".into(), &2.into()), "{fields}");
    assert_eq!((&fields["vendor_duration"], &fields["duration"]), (&3.0.into(), &3.0.into()));
}

#[tokio::test]
async fn who_waits_for_anothers_call_waits_too() {
    listen();
    let (gate, vendor, gateway) = held().await;
    let target = "/customers?connection=one";
    let second = async {
        until(|| vendor.calls() == 1).await;
        gateway.get(target).await.ok();
    };
    let opening = async {
        until(|| vendor.calls() == 1).await;
        // The second was sent before these.
        for _ in 0..10 {
            gateway.get("/livez").await.ok();
        }
        hold(1, &gate, &vendor, &gateway).await;
    };
    futures_util::join!(gateway.get(target), second, opening);
    let lists: Vec<_> = lines().into_iter().filter(|line| line["fields"]["route"] == "/customers").collect();
    let waited: Vec<_> =
        lists.iter().map(|line| (&line["fields"]["cache"], &line["fields"]["vendor_duration"])).collect();
    assert_eq!(waited.len(), 2);
    for line in ["miss", "collapsed"].map(Value::from) {
        assert!(waited.contains(&(&line, &3.0.into())), "{waited:?}");
    }
}

#[tokio::test]
async fn a_request_that_fails_says_whom_it_waited_for() {
    listen();
    let vendor = ScriptedVendor::start(|_, _| Reply::text(401, "{}")).await;
    let gateway = vendor.gateway("tolt").await;
    gateway.get("/customers/odd.cust_1").await.code(502);
    let line = &lines()[0];
    assert_eq!(line["level"], "WARN");
    assert_eq!((&line["fields"]["connection"], &line["fields"]["status"]), (&"odd".into(), &502.into()));
    assert_eq!(line["fields"]["code"], "vendor_unauthorized");
}
