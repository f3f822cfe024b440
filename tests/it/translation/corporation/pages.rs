//! Example response from the corporation vendor's documentation.

use customer_gateway::domain::{
    filter::Filter,
    query::{Expansion, ListQuery},
};

use crate::translation::{
    harness::{corporation, customers, customers_with, expanding, fixture, with_raw},
    outcome::text,
};

#[test]
fn documented_customer_list_is_read() {
    let acme = Filter { search: Some("acme".to_owned()), ..Filter::default() };
    let asked = ListQuery { shape: expanding(&[Expansion::ShippingAddress]), ..customers_with(acme) };
    corporation().list(&asked).assert_fixture("page_list_customers.json");
}

#[test]
fn raw_rows_equal_vendor_bytes() {
    let list = || corporation().list(&ListQuery { shape: with_raw(), ..customers() });
    let retrieve = || corporation().retrieve("cust_789", with_raw());
    let answers = [
        ("page_list_customers.json", list()),
        ("shape_15_unknown_fields.json", list()),
        ("shape_18_list_wrapped.json", list()),
        ("shape_18_object_flat.json", retrieve()),
        ("shape_18_object_wrapped.json", retrieve()),
    ];
    for (name, asked) in answers {
        let page = asked.read_fixture(name).unwrap();
        let body = fixture("corporation", name);
        let body = std::str::from_utf8(&body).unwrap();
        let (_, raw) = text(&page, 0).split_once(r#","raw":"#).unwrap();
        let raw = raw.strip_suffix('}').unwrap();
        assert!(raw.starts_with('{') && body.contains(raw), "{name}: {raw}");
    }
}
