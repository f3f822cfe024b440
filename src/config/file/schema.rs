//! JSON Schema of the configuration file, for editors.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Value, json};

use crate::vendors::registry;

use super::{
    File, Jwks, ListName, OnLoss, Period, PositiveDuration, RateLimit, RateWindow, Ratio, Secret, Share, Size,
    Timestamp, values::Address,
};

/// Pattern of the name of a connection.
pub(super) const CONNECTION_NAME: &str = "^[a-z][a-z0-9-]{0,62}$";

/// Returns the JSON Schema of the file (draft 7, which editors for TOML support).
#[must_use]
pub(in crate::config) fn schema() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<File>().to_value();
    remove_null(&mut schema);
    schema
}

/// Removes null from types and defaults, because TOML has none.
fn remove_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members
                .retain(|name, value| name != "default" || !(value.is_object() || value.is_array() || value.is_null()));
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [name] = &mut types[..] {
                    let name = name.take();
                    members.insert("type".to_owned(), name);
                }
            }
            if let Some(Value::Array(alternatives)) = members.get_mut("anyOf") {
                alternatives.retain(|alternative| *alternative != json!({ "type": "null" }));
                if alternatives.len() == 1 {
                    let alternative = members.shift_remove("anyOf").unwrap_or_default();
                    members.insert("allOf".to_owned(), alternative);
                }
            }
            members.values_mut().for_each(remove_null);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_null),
        _ => {}
    }
}

/// Adds the keys that depend on the kind of vendor.
pub(super) fn add_account_keys(schema: &mut Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let mut names = Vec::new();
    for kind in registry::KINDS {
        let description = format!("Id of the account. Required for the vendor \"{}\".", kind.name);
        properties.insert(kind.account_key.to_owned(), json!({ "type": "string", "description": description }));
        names.push(kind.name);
    }
    if let Some(vendor) = properties.get_mut("vendor").and_then(Value::as_object_mut) {
        vendor.insert("enum".to_owned(), json!(names));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
}

/// Implements the schema of a value with a syntax of its own.
macro_rules! value_schemas {
    ($($type:ty = $schema:tt),+ $(,)?) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        })+
    };
}

value_schemas! {
    PositiveDuration = { "type": "string", "examples": ["500ms", "30s", "5m", "1h"] },
    Period = { "type": "string", "examples": ["1s", "1m", "1d"] },
    Ratio = { "type": "number", "minimum": 0, "maximum": 1 },
    Share = { "type": "number", "exclusiveMinimum": 0, "maximum": 1 },
    OnLoss = { "type": "string", "enum": ["share", "reject"] },
    ListName = { "type": "string", "enum": ["customers", "transactions"] },
    Timestamp = { "type": "string", "examples": ["2027-01-31T00:00:00Z"] },
    Address = { "type": "string", "examples": ["127.0.0.1:8080"] },
    Size = { "type": "string", "examples": ["256MiB"] },
    Secret = {
        "description": "Location of a secret. Secrets are never inline.",
        "oneOf": [
            {
                "type": "object",
                "properties": { "env": { "type": "string", "description": "Name of an environment variable." } },
                "required": ["env"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": { "file": { "type": "string", "description": "Path of a file." } },
                "required": ["file"],
                "additionalProperties": false,
            },
        ],
    },
    Jwks = {
        "oneOf": [
            {
                "type": "object",
                "properties": { "url": { "type": "string", "description": "URL of the keys." } },
                "required": ["url"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": { "file": { "type": "string", "description": "Path of a file." } },
                "required": ["file"],
                "additionalProperties": false,
            },
        ],
    },
}

impl JsonSchema for RateLimit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RateLimit".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let window = generator.subschema_for::<RateWindow>();
        json_schema!({ "anyOf": [window, { "type": "array", "items": window, "minItems": 1 }] })
    }
}
