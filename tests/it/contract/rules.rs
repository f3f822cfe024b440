//! Rules that generated clients require of the OpenAPI document. A violation of
//! each rule has broken one of the generators that `tests/clients` runs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{document, document_3_0, operations, walk};

/// Schemas of the components, with their names.
fn schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    document["components"]["schemas"].as_object().unwrap().iter()
}

fn references(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(document, "#", &mut |_, value| found.extend(value["$ref"].as_str().map(str::to_owned)));
    found
}

#[test]
fn references_resolve_and_have_no_siblings() {
    for document in [document(), document_3_0()] {
        let mut found = 0;
        walk(&document, "#", &mut |at, value| {
            if let Some(reference) = value["$ref"].as_str() {
                found += 1;
                let target = document.pointer(reference.trim_start_matches('#'));
                assert!(target.is_some(), "{at}: {reference} does not resolve");
                assert_eq!(value.as_object().unwrap().len(), 1, "{at}: a $ref must have no siblings");
            }
        });
        assert!(found > 100, "{found}");
    }
}

#[test]
fn components_are_all_referenced() {
    let document = document();
    let used = references(&document);
    for kind in ["schemas", "headers", "examples"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(used.contains(&format!("#/components/{kind}/{name}")), "{kind}/{name} is not referenced");
        }
    }
}

#[test]
fn operations_schemas_and_headers_are_described() {
    let document = document();
    let described = |at: &str, value: &Value| {
        let text = value["description"].as_str().unwrap_or_default();
        assert!(text.len() > 8, "{at} has no description: {text:?}");
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
fn scalars_are_required_and_objects_optional() {
    let document = document();
    let rows = row_schemas(&document);
    for (name, schema) in schemas(&document).filter(|(name, _)| *name != "Problem" && !rows.contains(*name)) {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.contains(&Value::from(field.as_str()));
            let reference = property["$ref"].as_str().and_then(|to| document.pointer(to.trim_start_matches('#')));
            let is_object = reference.unwrap_or(property)["type"] == "object";
            // Absent in lists, which do not ask for single customers, and without
            // shared state.
            let absent = [("SourceReport", "not_found"), ("Purged", "replicas"), ("Purged", "confirmed")];
            if absent.contains(&(name.as_str(), field.as_str())) {
                continue;
            }
            assert!(is_object || is_required, "{name}.{field} is a scalar or a list, and must be required");
            assert!(!is_object || property["type"].as_str().is_none_or(|it| it == "object"), "{name}.{field}");
        }
    }
}

/// Names of the schemas of rows, and of the objects in rows.
fn row_schemas(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec!["Customer".to_owned(), "Transaction".to_owned()];
    while let Some(name) = open.pop() {
        walk(&document["components"]["schemas"][&name], "", &mut |_, value| {
            open.extend(value["$ref"].as_str().and_then(|to| to.rsplit('/').next()).map(str::to_owned));
        });
        found.insert(name);
    }
    found
}

#[test]
fn rows_require_only_their_id() {
    let document = document();
    let rows = row_schemas(&document);
    assert_eq!(rows.len(), 12, "{rows:?}");
    for name in rows {
        let required = &document["components"]["schemas"][&name]["required"];
        let is_row = ["Customer", "Transaction"].contains(&name.as_str());
        assert_eq!(*required, if is_row { serde_json::json!(["id"]) } else { Value::Null }, "{name}");
    }
}

#[test]
fn query_arrays_repeat_their_key() {
    let document = document();
    let mut arrays = 0;
    for (operation, value) in operations(&document) {
        for parameter in value["parameters"].as_array().into_iter().flatten() {
            let (name, schema) = (&parameter["name"], &parameter["schema"]);
            assert_ne!(parameter["style"], "deepObject", "{operation} {name}");
            assert!(
                schema["type"].is_string() || schema["$ref"].is_string(),
                "{operation} {name} must not be nullable"
            );
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
fn error_responses_share_the_problem_schema() {
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
                assert!(!codes.is_empty(), "{operation} {status} has no example");
            }
        }
    }
}

#[test]
fn response_schemas_are_extensible() {
    let document = document();
    walk(&document["components"]["schemas"], "schemas", &mut |at, schema| {
        assert_ne!(schema["additionalProperties"], false, "{at}: a new field would break clients");
        for composed in ["oneOf", "anyOf", "allOf"] {
            assert!(schema.get(composed).is_none(), "{at}: {composed}");
        }
        // Vendors supply these values. A stricter schema would make a client
        // reject the whole page.
        assert!(schema.get("pattern").is_none(), "{at}");
        assert!(schema["format"].as_str().is_none_or(|it| matches!(it, "date-time" | "int32" | "int64")), "{at}");
    });
    // Enumerations are allowed in requests only.
    let requested = ["CustomerExpansion", "TransactionExpansion", "Include", "Marks", "Order", "Partial"];
    for (name, schema) in schemas(&document) {
        assert_eq!(schema.get("enum").is_some(), requested.contains(&name.as_str()), "{name}");
        walk(&schema["properties"], name, &mut |at, value| {
            assert!(!value["enum"].is_array(), "{at}: a new value would break clients");
        });
    }
}

#[test]
fn operation_ids_are_valid_method_names() {
    let document = document();
    let ids: Vec<_> = operations(&document).map(|(_, it)| it["operationId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    assert!(ids.iter().all(|id| id.chars().all(|it| it.is_ascii_alphanumeric())), "{ids:?}");
}

#[test]
fn openapi_3_0_document_has_no_3_1_features() {
    let document = document_3_0();
    assert_eq!(document["openapi"], "3.0.3");
    assert!(document["info"]["license"].get("identifier").is_none());
    walk(&document, "#", &mut |at, value| {
        // A field can have the name `type`.
        let is_schema = !at.ends_with("/properties");
        assert!(!is_schema || !value["type"].is_array(), "{at}: a list of types");
    });
    assert_eq!(document["components"]["schemas"]["Customer"]["properties"]["name"]["nullable"], true);
}
