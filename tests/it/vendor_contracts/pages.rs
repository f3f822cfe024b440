//! Requests and responses from the vendors' documentation, byte for byte,
//! checked against the contracts.

use bytes::Bytes;
use http::{
    Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE},
};

use super::contract::Contract;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $name))
    };
}

#[test]
fn vendor_page_examples_match_contract() {
    let examples = [
        ("tolt", "/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh", fixture!("tolt/page_list_customers.json")),
        ("tolt", "/v1/customers/cust_dK9bzRGn46BhVgNFHD6fDgXW", fixture!("tolt/page_retrieve_customer.json")),
        (
            "tolt",
            "/v1/customers/cust_dK9bzRGn46BhVgNFHD6fDgXW?expand[]=partner&expand[]=program&include[]=stats",
            fixture!("tolt/page_retrieve_customer_expanded.json"),
        ),
        ("tolt", "/v1/transactions?program_id=prg_YRsbPDAKhWfdqJbFACheh", fixture!("tolt/page_list_transactions.json")),
        (
            "corporation",
            "/customers?corporation_id=corp_123&limit=20&extend=shipping_address&search_term=acme",
            fixture!("corporation/page_list_customers.json"),
        ),
    ];
    for (vendor, target, body) in examples {
        let contract = Contract::load(vendor);
        let request = Request::get(target).header(AUTHORIZATION, "Bearer <API_KEY>").body(()).unwrap();
        let answer = Response::builder().header(CONTENT_TYPE, "application/json").body(Bytes::from(body)).unwrap();
        assert_eq!(contract.request_violations(&request), Vec::<String>::new(), "{target}");
        assert_eq!(contract.response_violations(&request, &answer), Vec::<String>::new(), "{target}");
    }
}
