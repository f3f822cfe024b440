//! Properties of adapters for arbitrary responses: the result is records or an
//! error, never a panic.

use bytes::Bytes;
use customer_gateway::{
    domain::{
        page::RecordPage,
        query::{Expansion, ListQuery, Shape},
    },
    vendors::VendorError,
};
use proptest::{prelude::*, sample::select};
use serde::Deserialize;

use super::harness::{AdapterCall, corporation, customers, expanding, fixture, tolt, transactions, with_raw};

/// Readable responses, with their vendor.
const ANSWERS: &[(&str, &str)] = &[
    ("tolt", "page_list_customers.json"),
    ("tolt", "page_list_transactions.json"),
    ("tolt", "page_retrieve_customer_expanded.json"),
    ("tolt", "shape_06_v2_envelope.json"),
    ("tolt", "shape_09_email_that_is_none.json"),
    ("corporation", "page_list_customers.json"),
    ("corporation", "shape_13_expansions.json"),
    ("corporation", "shape_18_object_wrapped.json"),
    ("corporation", "shape_06_documented.json"),
];

/// Every kind of call: lists and retrievals, with all expansions or raw.
fn calls(vendor: &str) -> Vec<AdapterCall> {
    let shaped = |question: ListQuery, shape: &Shape| ListQuery { shape: shape.clone(), ..question };
    if vendor == "tolt" {
        let expanded = expanding(&[Expansion::Partner, Expansion::Program]);
        let retrieved = expanding(&[Expansion::Partner, Expansion::Program, Expansion::Stats]);
        let sold = expanding(&[Expansion::Partner, Expansion::Program, Expansion::Customer]);
        vec![
            tolt().list(&shaped(customers(), &expanded)),
            tolt().list(&shaped(customers(), &with_raw())),
            tolt().list(&shaped(transactions(), &sold)),
            tolt().list(&shaped(transactions(), &with_raw())),
            tolt().retrieve("cust_1", retrieved),
            tolt().retrieve("cust_1", with_raw()),
        ]
    } else {
        let expanded = expanding(&[Expansion::ShippingAddress, Expansion::Exemption]);
        vec![
            corporation().list(&shaped(customers(), &expanded)),
            corporation().list(&shaped(customers(), &with_raw())),
            corporation().retrieve("cust_1", expanded),
            corporation().retrieve("cust_1", with_raw()),
        ]
    }
}

/// Part of a record that names its owner.
#[derive(Deserialize)]
struct Owned {
    referral: Option<Referral>,
    tax: Option<Tax>,
}

#[derive(Deserialize)]
struct Referral {
    program_id: Option<String>,
}

#[derive(Deserialize)]
struct Tax {
    corporation_id: Option<String>,
}

/// Asserts that every record is JSON and belongs to no other account.
fn assert_sound(outcome: &Result<RecordPage, VendorError>) {
    let Ok(page) = outcome else { return };
    for index in 0..page.len() {
        assert!(!page.id(index).is_empty());
        let record: Owned = serde_json::from_slice(page.json(index)).unwrap();
        let owner = match (record.referral, record.tax) {
            (Some(referral), None) => referral.program_id.map(|id| id == "prg_YRsbPDAKhWfdqJbFACheh"),
            (None, Some(tax)) => tax.corporation_id.map(|id| id == "corp_123"),
            _ => panic!("a record must have either `referral` or `tax`"),
        };
        assert_ne!(owner, Some(false));
    }
}

fn statuses() -> impl Strategy<Value = u16> {
    select(&[200, 200, 200, 400, 404, 429, 500][..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), status in statuses()) {
        let body = Bytes::from(bytes);
        for asked in ["tolt", "corporation"].into_iter().flat_map(calls) {
            assert_sound(&asked.read(status, &body));
            asked.unknown_fields(&body);
        }
    }

    #[test]
    fn changed_byte_never_panics(
        (vendor, name) in select(ANSWERS),
        place in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), select(&b"{}[]\",:0129-.eE\\ntfu/ "[..])],
        status in statuses(),
    ) {
        let mut body = fixture(vendor, name).to_vec();
        let place = place.index(body.len());
        body[place] = byte;
        let body = Bytes::from(body);
        for asked in calls(vendor) {
            assert_sound(&asked.read(status, &body));
            asked.unknown_fields(&body);
        }
    }

    #[test]
    fn truncated_response_is_unreadable(
        (vendor, name) in select(ANSWERS),
        place in any::<prop::sample::Index>(),
    ) {
        let whole = fixture(vendor, name);
        let body = whole.slice(..place.index(whole.trim_ascii_end().len()));
        for asked in calls(vendor) {
            prop_assert!(matches!(asked.read(200, &body), Err(VendorError::Unreadable(_))));
        }
    }
}
