//! The OpenAPI document is the code's, the checked-in one is it, its examples
//! are the gateway's answers, and it keeps the rules that clients need.

mod examples;
mod parameters;
mod rules;

use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&customer_gateway::api::documents().v3_1).unwrap()
}

fn document_3_0() -> Value {
    serde_json::from_str(&customer_gateway::api::documents().v3_0).unwrap()
}

/// Every operation, with its path and method.
fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

/// Calls `look` with every value in the document, and where it stands.
fn walk<'v>(value: &'v Value, at: &str, look: &mut impl FnMut(&str, &'v Value)) {
    look(at, value);
    match value {
        Value::Object(members) => {
            // What stands in an example is data.
            for (name, value) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "value")) {
                walk(value, &format!("{at}/{name}"), look);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| walk(value, &format!("{at}/{index}"), look));
        }
        _ => {}
    }
}

#[test]
fn the_checked_in_documents_are_the_codes() {
    for (file, document, arguments) in [
        ("openapi/customer-gateway.json", &customer_gateway::api::documents().v3_1, ""),
        ("openapi/customer-gateway-3.0.json", &customer_gateway::api::documents().v3_0, " --version 3.0"),
    ] {
        let checked_in = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let advice = format!("regenerate it: cargo run -- openapi{arguments} > {file}");
        assert!(checked_in.trim_end() == document, "{file} has drifted from the code; {advice}");
    }
}
