//! The answers that Tolt's own pages show.

use customer_gateway::domain::query::{Expansion, ListQuery, Shape};

use crate::translation::{
    asked::{customers, expanding, fixture, tolt, transactions, with_raw},
    outcome::text,
};

#[test]
fn the_list_of_customers() {
    tolt().list(&customers()).reads("page_list_customers.json");
}

#[test]
fn a_customer() {
    tolt().retrieve("cust_dK9bzRGn46BhVgNFHD6fDgXW", Shape::default()).reads("page_retrieve_customer.json");
}

#[test]
fn a_customer_with_everything() {
    let everything = expanding(&[Expansion::Partner, Expansion::Program, Expansion::Stats]);
    tolt().retrieve("cust_dK9bzRGn46BhVgNFHD6fDgXW", everything).reads("page_retrieve_customer_expanded.json");
}

#[test]
fn the_list_of_transactions() {
    tolt().list(&transactions()).reads("page_list_transactions.json");
}

#[test]
fn raw_rows_are_the_vendors_bytes() {
    let raw = |question| ListQuery { shape: with_raw(), ..question };
    let answers = [
        ("page_list_customers.json", tolt().list(&raw(customers()))),
        ("page_list_transactions.json", tolt().list(&raw(transactions()))),
        ("page_retrieve_customer.json", tolt().retrieve("cust_dK9bzRGn46BhVgNFHD6fDgXW", with_raw())),
        ("shape_15_unknown_fields.json", tolt().list(&raw(customers()))),
        ("shape_09_email_that_is_none.json", tolt().list(&raw(customers()))),
    ];
    for (name, asked) in answers {
        let page = asked.answered_with(name).unwrap();
        let body = fixture("tolt", name);
        let body = std::str::from_utf8(&body).unwrap();
        for index in 0..page.len() {
            let (_, raw) = text(&page, index).split_once(r#","raw":"#).unwrap();
            let raw = raw.strip_suffix('}').unwrap();
            assert!(raw.starts_with('{') && body.contains(raw), "{name}: {raw}");
        }
    }
}
