//! Lists with known rows, walked forward and backward and exported. No row is
//! missing without a report.

#![no_main]

use std::{collections::BTreeSet, sync::Arc};

use customer_gateway_fuzz::{
    rows::{CORPORATION, TOLT},
    scenario::{Kind, Scenario},
    stage::Stage,
    vendor::Vendor,
    walk::{self, Walk},
};
use libfuzzer_sys::fuzz_target;

thread_local!(static STAGES: [(Stage, Vendor); 2] = [TOLT, CORPORATION].map(|layout| {
    let vendor = Vendor::default();
    (Stage::start(&[(layout.vendor, "odd", layout.account, vendor.clone())]), vendor)
}));

fuzz_target!(|scenario: Scenario| {
    let scenario = Arc::new(scenario);
    if scenario.is_undetectable() {
        return;
    }
    STAGES.with(|stages| {
        let (stage, vendor) = &stages[usize::from(scenario.layout().vendor != "tolt")];
        stage.begin();
        vendor.answer_with({
            let scenario = Arc::clone(&scenario);
            move |request| scenario.respond(request)
        });
        check(stage, &scenario);
    });
});

fn check(stage: &Stage, scenario: &Scenario) {
    let target = scenario.target();
    let forward = match walk::forward(stage, &target) {
        Ok(walk) => walk,
        Err(answer) => {
            let is_too_expensive = scenario.is_sorted() && answer.code() == "order_too_expensive";
            assert!(is_too_expensive || scenario.may_lose_its_place(), "{target}: {}", answer.text);
            return;
        }
    };
    let served = scenario.served();
    if scenario.is_sorted() {
        let set = |ids: Vec<String>| ids.into_iter().collect::<BTreeSet<_>>();
        assert_eq!(forward.ids().len(), served.len());
        assert_eq!(set(forward.ids()), set(served));
    } else {
        assert_eq!(forward.ids(), served);
        check_backward(stage, scenario, &target, &forward);
    }
    assert_eq!(forward.is_short, scenario.is_short(), "the end of the list");
    let kinds = scenario.kinds();
    let sent = &kinds[..scenario.sent()];
    let has_unreadable = sent.iter().any(|kind| !kind.has_id());
    assert_eq!(forward.unreadable > 0, has_unreadable, "unreadable rows");
    let loses_content = sent.iter().any(|kind| !kind.has_id() && *kind != Kind::Null);
    check_export(stage, scenario, loses_content);
}

fn check_backward(stage: &Stage, scenario: &Scenario, target: &str, forward: &Walk) {
    let Some(cursor) = &forward.prev_cursor else { return };
    let Some((last, earlier)) = forward.pages.split_last() else { return };
    // The page before an empty page is found by its instant, which these rows lack.
    if last.is_empty() && scenario.layout().vendor == "tolt" {
        return;
    }
    match walk::backward(stage, target, cursor) {
        Ok(backward) => assert_eq!(backward.ids(), earlier.concat(), "backward from {last:?}"),
        Err(answer) => assert!(scenario.may_lose_its_place(), "{target} backward: {}", answer.text),
    }
}

fn check_export(stage: &Stage, scenario: &Scenario, loses_content: bool) {
    let raw = if scenario.raw { "include=raw" } else { "" };
    let query = format!("{raw}{}", scenario.order());
    let query = query.trim_start_matches('&');
    let Ok(export) = walk::export(stage, &format!("/customers{}{query}", if query.is_empty() { "" } else { "?" }))
    else {
        assert!(scenario.is_sorted() || scenario.may_lose_its_place(), "the export is rejected");
        return;
    };
    let is_complete = export.end["status"] == "complete";
    if is_complete {
        assert_eq!(export.ids.len(), scenario.served().len(), "a complete export has all rows");
    }
    let must_be_complete = !loses_content && !scenario.is_short() && !scenario.may_lose_its_place();
    assert!(is_complete || !must_be_complete, "{}", export.end);
    assert!(!is_complete || !loses_content && !scenario.is_short(), "{}", export.end);
}
