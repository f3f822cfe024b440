//! Cursors: arbitrary text, and authenticated cursors with arbitrary content.

#![no_main]

use bytes::Bytes;
use customer_gateway::domain::{
    batch::{BatchQuery, CustomerId, OpenIds},
    cursor::{BatchCursor, Cursor, Fingerprint, OpenedCursor},
    filter::Filter,
    query::{ListQuery, Resource, Shape},
};
use customer_gateway_fuzz::{
    rows::{CORPORATION, TOLT},
    stage::{Stage, cursor_key},
    vendor::{Vendor, parameter},
};
use http::{HeaderMap, Response};
use libfuzzer_sys::fuzz_target;

thread_local!(static STAGE: Stage = {
    // The lists have two pages. An endless list would be walked until the cycle
    // detection of the cursor notices, whose state only this target can forge.
    let tolt = two_pages(
        "starting_after",
        br#"{"success":true,"has_more":true,"data":{"data":[{"id":"a"},{"id":"b"}]}}"#,
        br#"{"success":true,"has_more":false,"data":{"data":[{"id":"c"}]}}"#,
    );
    let tax = two_pages(
        "cursor",
        br#"{"data":{"customers":[{"id":"a"},{"id":"b"}],"cursor":"c"}}"#,
        br#"{"data":{"customers":[{"id":"c"}]}}"#,
    );
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
            OpenedCursor::Batch(cursor) => key.seal_batch(cursor),
        };
        assert_eq!(sealed, text, "a cursor has one form");
    }
    let encoded: String = url::form_urlencoded::byte_serialize(data).collect();
    if !encoded.is_empty() {
        STAGE.with(|stage| stage.begin());
        STAGE.with(|stage| stage.get(&format!("/customers?cursor={encoded}"), &HeaderMap::new()));
    }

    if let Ok(open) = postcard::from_bytes::<OpenIds>(data) {
        let ids = names.clone().map(|connection| CustomerId { connection, vendor_id: "a".to_owned() });
        let query = Fingerprint::of_batch(&BatchQuery { ids: ids.into(), shape: Shape::default() });
        let cursor = BatchCursor { query, open };
        let sealed = key.seal_batch(&cursor);
        assert_eq!(key.open(&sealed, query), Ok(OpenedCursor::Batch(cursor)), "a sealed cursor opens");
        STAGE.with(|stage| stage.get(&format!("/customers?id=odd.a&id=tax.a&cursor={sealed}"), &HeaderMap::new()));
    }

    let Ok(cursor) = postcard::from_bytes::<Cursor>(data) else { return };
    let cursor = Cursor { query: fingerprint, ..cursor };
    let sealed = key.seal(&cursor);
    assert_eq!(key.open(&sealed, fingerprint), Ok(OpenedCursor::Positions(cursor)), "a sealed cursor opens");
    for target in ["/customers?limit=2", "/explain/customers?limit=2"] {
        STAGE.with(|stage| stage.get(&format!("{target}&cursor={sealed}"), &HeaderMap::new()));
    }
});

/// Returns a vendor with one page before every value of a parameter, and one after.
fn two_pages(name: &'static str, first: &'static [u8], last: &'static [u8]) -> Vendor {
    let vendor = Vendor::default();
    vendor.answer_with(move |request| {
        Response::new(Bytes::from_static(if parameter(request, name).is_some() { last } else { first }))
    });
    vendor
}
