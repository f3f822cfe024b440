//! What generated clients need of a document: each rule was broken once, and
//! broke one of the generators that `tests/clients` runs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{document, document_3_0, operations, walk};

/// Every schema of the components, by name.
fn schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    document["components"]["schemas"].as_object().unwrap().iter()
}

fn references(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(document, "#", &mut |_, value| found.extend(value["$ref"].as_str().map(str::to_owned)));
    found
}

#[test]
fn every_reference_leads_somewhere_and_stands_alone() {
    for document in [document(), document_3_0()] {
        let mut found = 0;
        walk(&document, "#", &mut |at, value| {
            if let Some(reference) = value["$ref"].as_str() {
                found += 1;
                let target = document.pointer(reference.trim_start_matches('#'));
                assert!(target.is_some(), "{at}: {reference} leads nowhere");
                assert_eq!(value.as_object().unwrap().len(), 1, "{at}: nothing stands beside a $ref");
            }
        });
        assert!(found > 100, "{found}");
    }
}

#[test]
fn every_component_is_used() {
    let document = document();
    let used = references(&document);
    for kind in ["schemas", "headers", "examples"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(used.contains(&format!("#/components/{kind}/{name}")), "nothing refers to {kind}/{name}");
        }
    }
}

#[test]
fn every_operation_parameter_field_and_response_is_described() {
    let document = document();
    let described = |at: &str, value: &Value| {
        let text = value["description"].as_str().unwrap_or_default();
        assert!(text.len() > 8, "{at} says nothing of itself: {text:?}");
    };
    for (operation, value) in operations(&document) {
        described(&operation, value);
        assert!(value["summary"].is_string() && value["operationId"].is_string(), "{operation}");
        for parameter in value["parameters"].as_array().into_iter().flatten() {
            described(&format!("{operation} {}", parameter["name"]), parameter);
            let exampled = parameter["example"] != Value::Null || parameter["name"] == "cursor";
            assert!(exampled || parameter["schema"]["$ref"].is_string(), "{operation} {}", parameter["name"]);
        }
        for (status, response) in value["responses"].as_object().unwrap() {
            described(&format!("{operation} {status}"), response);
        }
    }
    for (name, schema) in schemas(&document) {
        described(name, schema);
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            if property["$ref"].is_null() {
                described(&format!("{name}.{field}"), property);
            }
        }
    }
    for (name, header) in document["components"]["headers"].as_object().unwrap() {
        described(name, header);
    }
}

#[test]
fn scalars_are_null_never_absent_and_objects_absent_never_null() {
    let document = document();
    for (name, schema) in schemas(&document).filter(|(name, _)| *name != "Problem") {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.contains(&Value::from(field.as_str()));
            let reference = property["$ref"].as_str().and_then(|to| document.pointer(to.trim_start_matches('#')));
            let is_object = reference.unwrap_or(property)["type"] == "object";
            assert!(is_object || is_required, "{name}.{field} is a scalar or a list, and may be absent");
            assert!(!is_object || property["type"].as_str().is_none_or(|it| it == "object"), "{name}.{field}");
        }
    }
}

#[test]
fn arrays_in_queries_repeat_their_key() {
    let document = document();
    let mut arrays = 0;
    for (operation, value) in operations(&document) {
        for parameter in value["parameters"].as_array().into_iter().flatten() {
            let (name, schema) = (&parameter["name"], &parameter["schema"]);
            assert_ne!(parameter["style"], "deepObject", "{operation} {name}");
            assert!(schema["type"].is_string() || schema["$ref"].is_string(), "{operation} {name} may be null");
            if schema["type"] == "array" {
                arrays += 1;
                assert_eq!(parameter["style"], "form", "{operation} {name}");
                assert_eq!(parameter["explode"], true, "{operation} {name}");
            }
        }
    }
    assert!(arrays > 5);
}

#[test]
fn responses_have_explicit_statuses_and_one_problem_schema() {
    let document = document();
    for (operation, value) in operations(&document) {
        for (status, response) in value["responses"].as_object().unwrap() {
            assert!(status.parse::<u16>().is_ok(), "{operation} {status}");
            if status.starts_with(['4', '5']) {
                for media_type in ["application/problem+json", "application/json"] {
                    let schema = &response["content"][media_type]["schema"]["$ref"];
                    assert_eq!(schema, "#/components/schemas/Problem", "{operation} {status} {media_type}");
                }
                let codes = response["content"]["application/problem+json"]["examples"].as_object().unwrap();
                assert!(!codes.is_empty(), "{operation} {status} has no code");
            }
        }
    }
}

#[test]
fn answers_may_grow() {
    let document = document();
    walk(&document["components"]["schemas"], "schemas", &mut |at, schema| {
        assert_ne!(schema["additionalProperties"], false, "{at}: a new field would break clients");
        for composed in ["oneOf", "anyOf", "allOf"] {
            assert!(schema.get(composed).is_none(), "{at}: {composed}");
        }
        // Vendors write these: a client would refuse the page over one of them.
        assert!(schema.get("pattern").is_none(), "{at}");
        assert!(schema["format"].as_str().is_none_or(|it| matches!(it, "date-time" | "int32" | "int64")), "{at}");
    });
    // Enumerations stand in requests alone.
    let requested = ["CustomerExpansion", "TransactionExpansion", "Include", "Order", "Partial"];
    for (name, schema) in schemas(&document) {
        assert_eq!(schema.get("enum").is_some(), requested.contains(&name.as_str()), "{name}");
        walk(&schema["properties"], name, &mut |at, value| assert!(!value["enum"].is_array(), "{at}: may grow"));
    }
}

#[test]
fn operation_ids_are_method_names() {
    let document = document();
    let ids: Vec<_> = operations(&document).map(|(_, it)| it["operationId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    assert!(ids.iter().all(|id| id.chars().all(|it| it.is_ascii_alphanumeric())), "{ids:?}");
}

#[test]
fn the_3_0_document_holds_nothing_of_3_1() {
    let document = document_3_0();
    assert_eq!(document["openapi"], "3.0.3");
    assert!(document["info"]["license"].get("identifier").is_none());
    walk(&document, "#", &mut |at, value| {
        // A field may be called `type`.
        let is_schema = !at.ends_with("/properties");
        assert!(!is_schema || !value["type"].is_array(), "{at}: a list of types");
    });
    assert_eq!(document["components"]["schemas"]["Customer"]["properties"]["name"]["nullable"], true);
}
