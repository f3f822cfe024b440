//! A schema of a contract, ready to check values.

use jsonschema::{Draft, Validator};
use serde::Deserialize;
use serde_json::Value;

/// A schema, compiled when it is read.
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
    /// What of a value is not valid.
    pub(super) fn strays(&self, what: &str, value: &Value) -> Vec<String> {
        let errors = self.validator.iter_errors(value);
        errors.map(|error| format!("{what} {}: {error}", error.instance_path())).collect()
    }

    /// What of a value that a query or a header holds is not valid. An array is
    /// written by repeating its name; nothing else may be repeated.
    pub(super) fn strays_of_texts(&self, what: &str, texts: &[String]) -> Vec<String> {
        let value = match (texts, self.text["type"] == "array") {
            (_, true) => texts.iter().map(|text| typed(&self.text["items"], text)).collect(),
            ([text], false) => typed(&self.text, text),
            _ => return vec![format!("`{what}` is repeated")],
        };
        self.strays(what, &value)
    }
}

/// A value as its text means it: what cannot be read as the schema's type stays
/// text, which no such schema lets pass.
fn typed(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer" | "boolean") => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        _ => text.into(),
    }
}
