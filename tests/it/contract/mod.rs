//! The OpenAPI document: it matches the code, its examples match the gateway's
//! responses, and it follows the rules that generated clients require.

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

/// Operations of a document, each with its method and path.
fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

/// Calls `visit` with every value in a document and the path of the value.
fn walk<'v>(value: &'v Value, at: &str, visit: &mut impl FnMut(&str, &'v Value)) {
    visit(at, value);
    match value {
        Value::Object(members) => {
            // Examples are data, not part of the document's structure.
            for (name, value) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "value")) {
                walk(value, &format!("{at}/{name}"), visit);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| walk(value, &format!("{at}/{index}"), visit));
        }
        _ => {}
    }
}

#[test]
fn checked_in_documents_match_the_code() {
    for (file, document, arguments) in [
        ("openapi/customer-gateway.json", &customer_gateway::api::documents().v3_1, ""),
        ("openapi/customer-gateway-3.0.json", &customer_gateway::api::documents().v3_0, " --version 3.0"),
    ] {
        let checked_in = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let advice = format!("regenerate it: cargo run -- openapi{arguments} > {file}");
        assert!(checked_in.trim_end() == document, "{file} differs from the code; {advice}");
    }
}
