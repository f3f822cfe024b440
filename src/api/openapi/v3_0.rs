//! From OpenAPI 3.1 to 3.0.3, mechanically: only what the document uses.

use serde_json::{Map, Value, json};

/// The document as 3.0.3.
pub(super) fn convert(mut document: Value) -> Value {
    document["openapi"] = json!("3.0.3");
    // `identifier` is new in 3.1; the address says the same.
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
                nullable(members, &types);
            }
            // Names are text there as here, and need no schema.
            members.shift_remove("propertyNames");
            // Examples are answers, whatever their members are called.
            members
                .iter_mut()
                .filter(|(name, _)| !matches!(name.as_str(), "example" | "examples"))
                .for_each(|(_, value)| walk(value));
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        _ => {}
    }
}

/// `type: [T, "null"]` is `type: T, nullable: true` there.
fn nullable(schema: &mut Map<String, Value>, types: &[Value]) {
    let [first, rest @ ..] = types else { return };
    schema.insert("type".to_owned(), first.clone());
    if rest.contains(&json!("null")) {
        schema.insert("nullable".to_owned(), json!(true));
    }
}
