//! Parts of an OpenAPI document that the contracts use.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::schema::Schema;

/// Document with resolved references.
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
    pub(super) r#in: Location,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) schema: Schema,
}

/// Location of a parameter. Headers and cookies fail to parse: no vendor has
/// such parameters apart from its security scheme.
#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Location {
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
    /// Reads a vendor's contract.
    pub(super) fn load(vendor: &str) -> Self {
        let path = format!("{}/openapi/vendors/{vendor}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let document: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let resolved = jsonschema::dereference(&document).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::from_value(resolved).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}
