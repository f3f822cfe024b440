//! Requests of the adapters and the gateway, checked against the contracts.

use std::collections::{BTreeMap, BTreeSet};

use customer_gateway::vendors::{
    Account, RefusalKind, Vendor, VendorError,
    capabilities::{ListCapabilities, Support},
    kind::VendorKind,
    registry::KINDS,
};
use http::{Request, header::AUTHORIZATION};
use url::form_urlencoded;

use super::{
    calls::{Combinations, calls},
    contract::Contract,
};
use crate::support::{ACCOUNT, ScriptedVendor, corporation_page, tolt_page};

/// Query parameters sent to each operation, as names with values. The items of
/// comma lists are separate.
type RecordedParameters = BTreeMap<String, BTreeSet<(String, String)>>;

#[test]
fn adapter_requests_match_contract() {
    for kind in KINDS {
        let contract = Contract::load(kind.name);
        let adapter = adapter(kind);
        let mut seen = RecordedParameters::new();
        for call in calls(kind.capabilities, Combinations::All) {
            let request = match adapter.request(&call) {
                Ok(request) => Request::get(format!("{}?{}", request.path, request.query)),
                Err(VendorError::Refused { kind: RefusalKind::CursorRejected, .. }) => continue,
                Err(error) => panic!("{}: {error:?}: {call:?}", kind.name),
            };
            // The adapter does not add the credential.
            let request = request.header(AUTHORIZATION, "Bearer sk").body(()).unwrap();
            let violations = contract.request_violations(&request);
            assert!(violations.is_empty(), "{}: {}: {violations:#?}", kind.name, request.uri());
            record(&mut seen, &contract, &request);
        }
        assert_covers(kind, &seen);
    }
}

#[tokio::test]
async fn gateway_requests_match_contract() {
    let targets = [
        "/customers",
        "/customers?order=asc&status=active&created_gte=2025-01-01&expand=partner",
        "/customers/odd.cust_1?expand=partner&expand=program&expand=stats",
        "/transactions?expand=customer",
        "/customers/odd.cust_1/transactions",
        "/customers?email=Jim%2B1@example.com",
        "/customers?search=@example.com",
        "/customers?name=a%2Cb&search=a%26b&source_platform=a&source_platform=b&has_exemption=true",
        "/customers?expand=shipping_address&expand=exemption",
        "/customers/odd.cust_1?expand=shipping_address",
    ];
    for (kind, page) in [("tolt", tolt_page(&[], false)), ("corporation", corporation_page(&[], None))] {
        let contract = Contract::load(kind);
        let vendor = ScriptedVendor::replying(page).await;
        let gateway = vendor.gateway(kind).await;
        for target in targets {
            gateway.get(target).await;
        }
        let heads = vendor.heads();
        assert!(heads.len() >= 4, "{heads:?}");
        for head in heads {
            let violations = contract.request_violations(&parse_head(&head));
            assert!(violations.is_empty(), "{head}: {violations:#?}");
        }
    }
}

fn adapter(kind: &VendorKind) -> Box<dyn Vendor> {
    (kind.adapter)(Account { connection: "odd".parse().unwrap(), id: ACCOUNT.to_owned() })
}

fn record(seen: &mut RecordedParameters, contract: &Contract, request: &Request<()>) {
    let operation = contract.operation(request).unwrap();
    let noted = seen.entry(operation.id().to_owned()).or_default();
    for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        noted.extend(value.split(',').map(|item| (name.to_string(), item.to_owned())));
    }
}

/// Asserts that every native parameter and expansion of a vendor was sent.
fn assert_covers(kind: &VendorKind, seen: &RecordedParameters) {
    let capabilities = kind.capabilities;
    let lists =
        [("listCustomers", Some(&capabilities.customers)), ("listTransactions", capabilities.transactions.as_ref())];
    for (operation, list) in lists.into_iter().filter_map(|(operation, list)| Some((operation, list?))) {
        let asked = &seen[operation];
        for name in native(list) {
            assert!(asked.iter().any(|(asked, _)| asked == name), "{}: {operation}: {name}", kind.name);
        }
        assert_expands(list.expand.iter().map(|(_, name)| *name), asked);
    }
    assert_expands(capabilities.retrieve_expand.iter().map(|(_, name)| *name), &seen["retrieveCustomer"]);
}

fn assert_expands(names: impl Iterator<Item = &'static str>, asked: &BTreeSet<(String, String)>) {
    for name in names {
        assert!(asked.iter().any(|(_, asked)| asked == name), "{name} was not requested");
    }
}

fn native(list: &ListCapabilities) -> impl Iterator<Item = &'static str> {
    list.parameters.iter().filter_map(|(_, support)| match support {
        Support::Native(name) | Support::NativeList(name) | Support::NativeChecked(name) | Support::Prefilter(name) => {
            Some(*name)
        }
        Support::Gateway => None,
    })
}

/// Parses the head of a request, as received on the socket.
fn parse_head(head: &str) -> Request<()> {
    let mut lines = head.trim_end().lines();
    let mut first = lines.next().unwrap().split(' ');
    let mut request = Request::builder().method(first.next().unwrap()).uri(first.next().unwrap());
    for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
        request = request.header(name, value);
    }
    request.body(()).unwrap()
}
