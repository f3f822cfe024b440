//! One operation of a contract.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Response, header::CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::document::{self, Location};

/// Request and responses of one operation.
pub(super) struct Operation {
    method: Method,
    path: String,
    declared: document::Operation,
}

impl Operation {
    pub(super) fn new(method: &str, path: &str, declared: document::Operation) -> Self {
        Self { method: method.to_uppercase().parse().unwrap(), path: path.to_owned(), declared }
    }

    /// Returns the `operationId`.
    pub(super) fn id(&self) -> &str {
        &self.declared.operation_id
    }

    /// Returns whether a method and path match this operation.
    pub(super) fn matches(&self, method: &Method, path: &str) -> bool {
        self.method == *method
            && self.path.split('/').count() == path.split('/').count()
            && self.segments(path).all(|(template, given)| template.starts_with('{') || template == given)
    }

    /// Declared response statuses, such as `404` or `5XX`.
    pub(super) fn statuses(&self) -> impl Iterator<Item = &str> {
        self.declared.responses.keys().map(String::as_str)
    }

    /// Returns the invalid path values.
    pub(super) fn path_violations(&self, path: &str) -> Vec<String> {
        let values = self.segments(path).filter_map(|(template, given)| {
            let name = template.strip_prefix('{')?.strip_suffix('}')?;
            Some((name, percent_decode_str(given).decode_utf8_lossy().into_owned()))
        });
        values.flat_map(|(name, value)| self.parameter_violations(&Location::Path, name, &[value])).collect()
    }

    /// Returns the unknown, invalid and missing query parameters.
    pub(super) fn query_violations(&self, query: &str) -> Vec<String> {
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            given.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        let is_missing =
            |it: &&document::Parameter| it.required && it.r#in == Location::Query && !given.contains_key(&it.name);
        let missing = self.declared.parameters.iter().filter(is_missing);
        let mut violations: Vec<String> = missing.map(|missing| format!("`{}` is missing", missing.name)).collect();
        for (name, values) in given {
            violations.extend(self.parameter_violations(&Location::Query, &name, &values));
        }
        violations
    }

    /// Returns the undeclared and invalid parts of a response.
    pub(super) fn response_violations(&self, answer: &Response<Bytes>) -> Vec<String> {
        let status = answer.status();
        let range = format!("{}XX", status.as_u16() / 100);
        let responses = &self.declared.responses;
        let Some(declared) = responses.get(status.as_str()).or_else(|| responses.get(&range)) else {
            return vec![format!("{status} is not declared")];
        };
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
        let mut violations = Vec::new();
        for (name, described) in &declared.headers {
            let given = header(name).map(|text| described.schema.text_violations(name, &[text.to_owned()]));
            violations.extend(given.into_iter().flatten());
        }
        let media = header(CONTENT_TYPE.as_str()).and_then(|value| value.split(';').next()).unwrap_or_default();
        match (declared.content.get(media), serde_json::from_slice(answer.body())) {
            (None, _) => violations.push(format!("`{media}` is not declared")),
            (_, Err(error)) => violations.push(format!("the body is not JSON: {error}")),
            (Some(described), Ok(body)) => violations.extend(described.schema.violations("body", &body)),
        }
        violations
    }

    fn parameter_violations(&self, place: &Location, name: &str, values: &[String]) -> Vec<String> {
        match self.declared.parameters.iter().find(|it| it.r#in == *place && it.name == name) {
            Some(parameter) => parameter.schema.text_violations(name, values),
            None => vec![format!("`{name}` is not a parameter")],
        }
    }

    fn segments<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.path.split('/').zip(path.split('/'))
    }
}
