//! Cursors: arbitrary text, and authenticated cursors with arbitrary content.

#![no_main]

use customer_gateway::domain::{
    cursor::{Cursor, Fingerprint, OpenedCursor},
    filter::Filter,
    query::{ListQuery, Resource, Shape},
};
use customer_gateway_fuzz::{
    rows::{CORPORATION, TOLT},
    stage::{Stage, cursor_key},
    vendor::Vendor,
};
use http::HeaderMap;
use libfuzzer_sys::fuzz_target;

thread_local!(static STAGE: Stage = {
    let tolt = Vendor::answering(br#"{"success":true,"has_more":true,"data":{"data":[{"id":"a"},{"id":"b"}]}}"#);
    let tax = Vendor::answering(br#"{"data":{"customers":[{"id":"a"},{"id":"b"}],"cursor":"c"}}"#);
    Stage::start(&[("tolt", "odd", TOLT.account, tolt), ("corporation", "tax", CORPORATION.account, tax)])
});

fuzz_target!(|data: &[u8]| {
    let query =
        ListQuery { resource: Resource::Customers, filter: Filter::default(), order: None, shape: Shape::default() };
    let names = ["odd", "tax"].map(|name| name.parse().expect("a valid name"));
    let fingerprint = Fingerprint::new(&query, &names);
    let key = cursor_key();

    let text = String::from_utf8_lossy(data);
    if let Ok(opened) = key.open(&text, fingerprint) {
        let sealed = match &opened {
            OpenedCursor::Positions(cursor) => key.seal(cursor),
            OpenedCursor::Reference(reference) => key.seal_reference(reference),
        };
        assert_eq!(sealed, text, "a cursor has one form");
    }
    let encoded: String = url::form_urlencoded::byte_serialize(data).collect();
    if !encoded.is_empty() {
        STAGE.with(|stage| stage.begin());
        STAGE.with(|stage| stage.get(&format!("/customers?cursor={encoded}"), &HeaderMap::new()));
    }

    let Ok(cursor) = postcard::from_bytes::<Cursor>(data) else { return };
    let cursor = Cursor { query: fingerprint, ..cursor };
    let sealed = key.seal(&cursor);
    assert_eq!(key.open(&sealed, fingerprint), Ok(OpenedCursor::Positions(cursor)), "a sealed cursor opens");
    for target in ["/customers?limit=2", "/explain/customers?limit=2"] {
        STAGE.with(|stage| stage.get(&format!("{target}&cursor={sealed}"), &HeaderMap::new()));
    }
});
