//! The parts of an OpenAPI document that the contracts use.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::schema::Schema;

/// A document whose references are resolved.
#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) paths: BTreeMap<String, BTreeMap<String, Operation>>,
    pub(super) security: Vec<BTreeMap<String, Value>>,
    pub(super) components: Components,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Components {
    pub(super) security_schemes: BTreeMap<String, SecurityScheme>,
}

#[derive(Deserialize)]
pub(super) struct SecurityScheme {
    pub(super) r#type: String,
    pub(super) scheme: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) operation_id: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) responses: BTreeMap<String, Response>,
}

#[derive(Deserialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) r#in: Place,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) schema: Schema,
}

/// Where a parameter stands. A header or a cookie would be a reading error: no
/// vendor has one besides its security scheme.
#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    Path,
    Query,
}

#[derive(Deserialize)]
pub(super) struct Response {
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Described>,
    pub(super) content: BTreeMap<String, Described>,
}

#[derive(Deserialize)]
pub(super) struct Described {
    pub(super) schema: Schema,
}

impl Document {
    /// A vendor's contract.
    pub(super) fn of(vendor: &str) -> Self {
        let path = format!("{}/openapi/vendors/{vendor}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let document: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let resolved = jsonschema::dereference(&document).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::from_value(resolved).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}
