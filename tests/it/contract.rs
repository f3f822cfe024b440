//! The OpenAPI document is the code's, the checked-in one is it, and the
//! routes take what it says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Gateway, config, connections_to, sandbox};

fn document() -> Value {
    serde_json::from_str(customer_gateway::api::document()).unwrap()
}

#[test]
fn the_checked_in_document_is_the_codes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/customer-gateway.json");
    let checked_in: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let advice = "regenerate it: cargo run -- openapi > openapi/customer-gateway.json";
    assert!(checked_in == document(), "openapi/customer-gateway.json has drifted from the code; {advice}");
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let (document, mut found) = (document(), BTreeSet::new());
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn each_list_takes_the_parameters_that_the_document_names() {
    let sandbox = sandbox(1, 1, 1).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let document = document();
    for (path, target) in [
        ("/customers", "/customers?nope=1"),
        ("/customers/{id}", "/customers/tax.x?nope=1"),
        ("/transactions", "/transactions?nope=1"),
        ("/customers/{id}/transactions", "/customers/affiliates.x/transactions?nope=1"),
    ] {
        let documented = document["paths"][path]["get"]["parameters"].as_array().unwrap().iter();
        let documented: BTreeSet<_> =
            documented.filter(|it| it["in"] == "query").map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        let problem = gateway.get(target).await.problem();
        let taken = problem["supported"].as_array().unwrap().iter();
        let taken: BTreeSet<_> = taken.map(|name| name.as_str().unwrap().to_owned()).collect();
        assert_eq!(documented, taken, "{path}");
    }
}
