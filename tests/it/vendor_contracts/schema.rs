//! Compiled JSON schema of a contract.

use jsonschema::{Draft, Validator};
use serde::Deserialize;
use serde_json::Value;

/// Schema, compiled on deserialization.
#[derive(Deserialize)]
#[serde(from = "Value")]
pub(super) struct Schema {
    text: Value,
    validator: Validator,
}

impl From<Value> for Schema {
    fn from(text: Value) -> Self {
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        Self { validator: options.build(&text).unwrap(), text }
    }
}

impl Schema {
    /// Returns the violations in a value.
    pub(super) fn violations(&self, what: &str, value: &Value) -> Vec<String> {
        let errors = self.validator.iter_errors(value);
        errors.map(|error| format!("{what} {}: {error}", error.instance_path())).collect()
    }

    /// Returns the violations in the values of a query parameter or a header. An
    /// array repeats its name. Other types must not be repeated.
    pub(super) fn text_violations(&self, what: &str, texts: &[String]) -> Vec<String> {
        let value = match (texts, self.text["type"] == "array") {
            (_, true) => texts.iter().map(|text| parse_as(&self.text["items"], text)).collect(),
            ([text], false) => parse_as(&self.text, text),
            _ => return vec![format!("`{what}` is repeated")],
        };
        self.violations(what, &value)
    }
}

/// Converts text to the schema's type. Text that cannot be converted stays
/// text, which violates the schema.
fn parse_as(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer" | "boolean") => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        _ => text.into(),
    }
}
