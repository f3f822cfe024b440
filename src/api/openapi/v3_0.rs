//! Conversion from OpenAPI 3.1 to 3.0.3, limited to the features that the
//! document uses.

use serde_json::{Map, Value, json};

/// Converts a document.
pub(super) fn convert(mut document: Value) -> Value {
    document["openapi"] = json!("3.0.3");
    // `identifier` is new in 3.1. 3.0 has a URL instead.
    if let Some(license) = document.pointer_mut("/info/license").and_then(Value::as_object_mut)
        && let Some(Value::String(identifier)) = license.shift_remove("identifier")
    {
        license.insert("url".to_owned(), json!(format!("https://spdx.org/licenses/{identifier}.html")));
    }
    walk(&mut document);
    document
}

fn walk(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get("type") {
                let types = types.clone();
                make_nullable(members, &types);
            }
            // `propertyNames` is new in 3.1. All names are plain strings.
            members.shift_remove("propertyNames");
            // Examples are data, even if members have the names of keywords.
            members
                .iter_mut()
                .filter(|(name, _)| !matches!(name.as_str(), "example" | "examples"))
                .for_each(|(_, value)| walk(value));
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        _ => {}
    }
}

/// Converts `type: [T, "null"]` to `type: T, nullable: true`.
fn make_nullable(schema: &mut Map<String, Value>, types: &[Value]) {
    let [first, rest @ ..] = types else { return };
    schema.insert("type".to_owned(), first.clone());
    if rest.contains(&json!("null")) {
        schema.insert("nullable".to_owned(), json!(true));
    }
}
