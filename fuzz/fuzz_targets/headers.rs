//! Request headers of a list: `Cache-Control`, `Accept`, `Prefer`,
//! `If-None-Match` and any other.

#![no_main]

use customer_gateway::fuzzing::cache_directives;
use customer_gateway_fuzz::{fields, rows::TOLT, stage::Stage, vendor::Vendor};
use http::{
    HeaderMap,
    header::{CACHE_CONTROL, IF_NONE_MATCH},
};
use libfuzzer_sys::fuzz_target;

thread_local!(static STAGE: Stage = {
    let vendor =
        Vendor::answering(br#"{"success":true,"has_more":false,"data":{"data":[{"id":"a"},{"id":"b"}]}}"#);
    Stage::start(&[("tolt", "odd", TOLT.account, vendor)])
});

fuzz_target!(|data: &[u8]| {
    let headers = fields::read(data);
    check_directives(&headers);
    STAGE.with(|stage| {
        stage.begin();
        // The second request may be answered from the response cache.
        for target in ["/customers?limit=1", "/customers?limit=1", "/customers", "/customers/odd.a"] {
            let answer = stage.get(target, &headers);
            if answer.status == 304 {
                assert!(headers.contains_key(IF_NONE_MATCH), "{target}: 304 without a condition");
            }
            if answer.status == 200 {
                assert!(!answer.text.is_empty(), "{target}: an empty response");
            }
        }
    });
});

/// Compares the directives with those of a simple reader, for values without
/// quotes.
fn check_directives(headers: &HeaderMap) {
    let read = cache_directives(headers);
    let values = headers.get_all(CACHE_CONTROL).iter();
    let values: Option<Vec<_>> = values.map(|value| value.to_str().ok().filter(|text| !text.contains('"'))).collect();
    let Some(values) = values else { return };
    let names: Vec<String> = values
        .iter()
        .flat_map(|value| value.split(','))
        .map(|directive| directive.split('=').next().unwrap_or_default().trim().to_ascii_lowercase())
        .collect();
    let has = |name: &str| names.iter().any(|known| known == name);
    assert_eq!(read.no_cache, has("no-cache"), "{values:?}");
    assert_eq!(read.no_store, has("no-store"), "{values:?}");
    assert_eq!(read.only_if_cached, has("only-if-cached"), "{values:?}");
    assert!(read.max_age.is_none() || has("max-age"), "{values:?}");
    assert!(read.max_stale.is_none() || has("max-stale"), "{values:?}");
}
