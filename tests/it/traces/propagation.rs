//! A caller's trace goes on at the vendor, also where nobody collects spans.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use super::{PAGE, ask, long_list, seen};
use crate::support::{Gateway, Reply, ScriptedVendor, tolt_page, tolt_row, until};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn gateway() -> (ScriptedVendor, Gateway) {
    let vendor = ScriptedVendor::saying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let gateway = vendor.gateway("tolt").await;
    (vendor, gateway)
}

#[tokio::test]
async fn the_vendor_gets_the_callers_headers_to_the_letter() {
    for (parent, state) in [
        (PARENT, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        // Not sampled, and flags that are not of this version of the standard.
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "congo=t61rcWkgMzE"),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", "congo=t61rcWkgMzE"),
        // A version of the standard that is still to come.
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like", "a=1 , b=2"),
    ] {
        let (vendor, gateway) = gateway().await;
        ask(&gateway, PAGE, &[("traceparent", parent), ("tracestate", state)]).await.ok();
        assert_eq!(seen(&vendor, "traceparent"), [Some(parent.to_owned())]);
        assert_eq!(seen(&vendor, "tracestate"), [Some(state.to_owned())]);
    }
}

#[tokio::test]
async fn who_is_in_no_trace_begins_none() {
    let (vendor, gateway) = gateway().await;
    ask(&gateway, PAGE, &[("tracestate", "congo=t61rcWkgMzE")]).await.ok();
    assert_eq!(seen(&vendor, "traceparent"), [None]);
    assert_eq!(seen(&vendor, "tracestate"), [None]);
}

#[tokio::test]
async fn a_header_that_is_not_well_formed_is_ignored() {
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
        ask(&gateway, PAGE, &[("traceparent", parent), ("tracestate", "congo=t61rcWkgMzE")]).await.ok();
        assert_eq!(seen(&vendor, "traceparent"), [None], "{parent}");
        assert_eq!(seen(&vendor, "tracestate"), [None], "{parent}");
    }
}

#[tokio::test]
async fn two_parents_are_none() {
    let (vendor, gateway) = gateway().await;
    ask(&gateway, PAGE, &[("traceparent", PARENT), ("traceparent", PARENT)]).await.ok();
    assert_eq!(seen(&vendor, "traceparent"), [None]);
}

#[tokio::test]
async fn a_state_goes_on_whole_or_not_at_all() {
    let long = ["a", "b", "c"].map(|key| format!("{key}={}", "x".repeat(170))).join(",");
    for (states, passed) in [
        (vec!["congo=1", "rojo=2"], Some("congo=1,rojo=2")),
        (vec!["no member"], None),
        (vec!["CONGO=1"], None),
        (vec![""], None),
        // Longer than section 3.3.1.5 asks for: a vendor might refuse it.
        (vec![&*long], None),
    ] {
        let (vendor, gateway) = gateway().await;
        let states = states.iter().map(|state| ("tracestate", *state));
        let headers: Vec<_> = [("traceparent", PARENT)].into_iter().chain(states).collect();
        ask(&gateway, PAGE, &headers).await.ok();
        assert_eq!(seen(&vendor, "traceparent"), [Some(PARENT.to_owned())]);
        assert_eq!(seen(&vendor, "tracestate"), [passed.map(str::to_owned)], "{headers:?}");
    }
}

#[tokio::test]
async fn it_goes_on_behind_the_callers_back_too() {
    let (vendor, gateway) = gateway().await;
    gateway.get(PAGE).await.ok();
    gateway.clock.advance(Duration::from_secs(31));
    let stale = ask(&gateway, PAGE, &[("traceparent", PARENT)]).await;
    assert!(stale.header("cache-status").contains("stale-while-revalidate"), "{stale:?}");
    until(|| vendor.calls() == 2).await;
    assert_eq!(seen(&vendor, "traceparent"), [None, Some(PARENT.to_owned())]);
}

#[tokio::test]
async fn it_goes_on_through_all_of_an_export() {
    let vendor = long_list().await;
    let gateway = vendor.gateway("tolt").await;
    let headers = [("accept", "application/x-ndjson"), ("traceparent", PARENT)];
    let answer = ask(&gateway, PAGE, &headers).await;
    assert!(answer.text.contains(r#""status":"complete""#), "{}", answer.text);
    assert_eq!(seen(&vendor, "traceparent"), vec![Some(PARENT.to_owned()); vendor.calls()]);
    assert_eq!(vendor.calls(), 4);
}

#[tokio::test]
async fn of_those_who_ask_together_the_vendor_sees_one() {
    let gate = Arc::new(Semaphore::new(0));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| Reply::json(&tolt_page(&[tolt_row("cust_1")], false)).held_by(&gate)
    })
    .await;
    let gateway = vendor.gateway("tolt").await;
    let parents: Vec<_> = (1..=5).map(|it| format!("00-{:032x}-{it:016x}-01", 7)).collect();
    let asking = parents.iter().map(|parent| async {
        let headers = [("traceparent", &**parent)];
        ask(&gateway, PAGE, &headers).await.ok();
    });
    let opening = async {
        until(|| vendor.calls() == 1).await;
        gate.add_permits(1);
    };
    futures_util::future::join(futures_util::future::join_all(asking), opening).await;
    let seen = seen(&vendor, "traceparent");
    assert!(matches!(&*seen, [Some(parent)] if parents.contains(parent)), "{seen:?}");
}

#[tokio::test]
async fn a_trace_is_not_told_to_its_caller() {
    let (_vendor, gateway) = gateway().await;
    for target in [PAGE, PAGE, "/nowhere"] {
        let answer = ask(&gateway, target, &[("traceparent", PARENT)]).await;
        let told = format!("{:?} {}", answer.headers, answer.text);
        assert!(!told.contains("4bf92f3577b34da6a3ce929d0e0e4736"), "{told}");
    }
}
