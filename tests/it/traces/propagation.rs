//! Propagation of the caller's trace to vendors, also without a collector.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use super::{PAGE, get_with_headers, long_list, received_headers};
use crate::support::{Gateway, Reply, ScriptedVendor, tolt_page, tolt_row, until};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn gateway() -> (ScriptedVendor, Gateway) {
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let gateway = vendor.gateway("tolt").await;
    (vendor, gateway)
}

#[tokio::test]
async fn trace_headers_reach_the_vendor_unchanged() {
    for (parent, state) in [
        (PARENT, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        // Not sampled, and flags that this version of the standard does not
        // define.
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "congo=t61rcWkgMzE"),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", "congo=t61rcWkgMzE"),
        // A future version of the standard.
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like", "a=1 , b=2"),
    ] {
        let (vendor, gateway) = gateway().await;
        get_with_headers(&gateway, PAGE, &[("traceparent", parent), ("tracestate", state)]).await.ok();
        assert_eq!(received_headers(&vendor, "traceparent"), [Some(parent.to_owned())]);
        assert_eq!(received_headers(&vendor, "tracestate"), [Some(state.to_owned())]);
    }
}

#[tokio::test]
async fn request_without_traceparent_starts_no_trace() {
    let (vendor, gateway) = gateway().await;
    get_with_headers(&gateway, PAGE, &[("tracestate", "congo=t61rcWkgMzE")]).await.ok();
    assert_eq!(received_headers(&vendor, "traceparent"), [None]);
    assert_eq!(received_headers(&vendor, "tracestate"), [None]);
}

#[tokio::test]
async fn malformed_traceparent_is_ignored() {
    for parent in [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "+0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-0001",
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
    ] {
        let (vendor, gateway) = gateway().await;
        get_with_headers(&gateway, PAGE, &[("traceparent", parent), ("tracestate", "congo=t61rcWkgMzE")]).await.ok();
        assert_eq!(received_headers(&vendor, "traceparent"), [None], "{parent}");
        assert_eq!(received_headers(&vendor, "tracestate"), [None], "{parent}");
    }
}

#[tokio::test]
async fn repeated_traceparent_is_ignored() {
    let (vendor, gateway) = gateway().await;
    get_with_headers(&gateway, PAGE, &[("traceparent", PARENT), ("traceparent", PARENT)]).await.ok();
    assert_eq!(received_headers(&vendor, "traceparent"), [None]);
}

#[tokio::test]
async fn tracestate_is_forwarded_whole_or_dropped() {
    let long = ["a", "b", "c"].map(|key| format!("{key}={}", "x".repeat(170))).join(",");
    for (states, passed) in [
        (vec!["congo=1", "rojo=2"], Some("congo=1,rojo=2")),
        (vec!["no member"], None),
        (vec!["CONGO=1"], None),
        (vec![""], None),
        // Longer than section 3.3.1.5 requires: a vendor might reject it.
        (vec![&*long], None),
    ] {
        let (vendor, gateway) = gateway().await;
        let states = states.iter().map(|state| ("tracestate", *state));
        let headers: Vec<_> = [("traceparent", PARENT)].into_iter().chain(states).collect();
        get_with_headers(&gateway, PAGE, &headers).await.ok();
        assert_eq!(received_headers(&vendor, "traceparent"), [Some(PARENT.to_owned())]);
        assert_eq!(received_headers(&vendor, "tracestate"), [passed.map(str::to_owned)], "{headers:?}");
    }
}

#[tokio::test]
async fn background_refresh_propagates_the_trace() {
    let (vendor, gateway) = gateway().await;
    gateway.get(PAGE).await.ok();
    gateway.clock.advance(Duration::from_secs(31));
    let stale = get_with_headers(&gateway, PAGE, &[("traceparent", PARENT)]).await;
    assert!(stale.header("cache-status").contains("stale-while-revalidate"), "{stale:?}");
    until(|| vendor.calls() == 2).await;
    assert_eq!(received_headers(&vendor, "traceparent"), [None, Some(PARENT.to_owned())]);
}

#[tokio::test]
async fn every_call_of_an_export_propagates_the_trace() {
    let vendor = long_list().await;
    let gateway = vendor.gateway("tolt").await;
    let headers = [("accept", "application/x-ndjson"), ("traceparent", PARENT)];
    let answer = get_with_headers(&gateway, PAGE, &headers).await;
    assert!(answer.text.contains(r#""status":"complete""#), "{}", answer.text);
    assert_eq!(received_headers(&vendor, "traceparent"), vec![Some(PARENT.to_owned()); vendor.calls()]);
    assert_eq!(vendor.calls(), 4);
}

#[tokio::test]
async fn coalesced_requests_propagate_one_trace() {
    let gate = Arc::new(Semaphore::new(0));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| Reply::json(&tolt_page(&[tolt_row("cust_1")], false)).gated_by(&gate)
    })
    .await;
    let gateway = vendor.gateway("tolt").await;
    let parents: Vec<_> = (1..=5).map(|it| format!("00-{:032x}-{it:016x}-01", 7)).collect();
    let asking = parents.iter().map(|parent| async {
        let headers = [("traceparent", &**parent)];
        get_with_headers(&gateway, PAGE, &headers).await.ok();
    });
    let opening = async {
        until(|| vendor.calls() == 1).await;
        gate.add_permits(1);
    };
    futures_util::future::join(futures_util::future::join_all(asking), opening).await;
    let seen = received_headers(&vendor, "traceparent");
    assert!(matches!(&*seen, [Some(parent)] if parents.contains(parent)), "{seen:?}");
}

#[tokio::test]
async fn trace_id_is_not_returned_to_the_caller() {
    let (_vendor, gateway) = gateway().await;
    for target in [PAGE, PAGE, "/nowhere"] {
        let answer = get_with_headers(&gateway, target, &[("traceparent", PARENT)]).await;
        let told = format!("{:?} {}", answer.headers, answer.text);
        assert!(!told.contains("4bf92f3577b34da6a3ce929d0e0e4736"), "{told}");
    }
}
