//! One operation of a contract.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Response, header::CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::document::{self, Place};

/// What one operation takes and answers.
pub(super) struct Operation {
    method: Method,
    path: String,
    declared: document::Operation,
}

impl Operation {
    pub(super) fn new(method: &str, path: &str, declared: document::Operation) -> Self {
        Self { method: method.to_uppercase().parse().unwrap(), path: path.to_owned(), declared }
    }

    /// Its `operationId`.
    pub(super) fn id(&self) -> &str {
        &self.declared.operation_id
    }

    /// Whether a method and path are this operation's.
    pub(super) fn takes(&self, method: &Method, path: &str) -> bool {
        self.method == *method
            && self.path.split('/').count() == path.split('/').count()
            && self.segments(path).all(|(template, given)| template.starts_with('{') || template == given)
    }

    /// The statuses it may answer with, such as `404` or `5XX`.
    pub(super) fn statuses(&self) -> impl Iterator<Item = &str> {
        self.declared.responses.keys().map(String::as_str)
    }

    /// What of a path's values is not valid.
    pub(super) fn strays_of_path(&self, path: &str) -> Vec<String> {
        let values = self.segments(path).filter_map(|(template, given)| {
            let name = template.strip_prefix('{')?.strip_suffix('}')?;
            Some((name, percent_decode_str(given).decode_utf8_lossy().into_owned()))
        });
        values.flat_map(|(name, value)| self.strays_of_parameter(&Place::Path, name, &[value])).collect()
    }

    /// What of a query is unknown, not valid or missing.
    pub(super) fn strays_of_query(&self, query: &str) -> Vec<String> {
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            given.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        let is_missing =
            |it: &&document::Parameter| it.required && it.r#in == Place::Query && !given.contains_key(&it.name);
        let missing = self.declared.parameters.iter().filter(is_missing);
        let mut strays: Vec<String> = missing.map(|missing| format!("`{}` is missing", missing.name)).collect();
        for (name, values) in given {
            strays.extend(self.strays_of_parameter(&Place::Query, &name, &values));
        }
        strays
    }

    /// What of an answer is not declared or not valid.
    pub(super) fn strays_of_answer(&self, answer: &Response<Bytes>) -> Vec<String> {
        let status = answer.status();
        let range = format!("{}XX", status.as_u16() / 100);
        let responses = &self.declared.responses;
        let Some(declared) = responses.get(status.as_str()).or_else(|| responses.get(&range)) else {
            return vec![format!("{status} is not declared")];
        };
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
        let mut strays = Vec::new();
        for (name, described) in &declared.headers {
            let given = header(name).map(|text| described.schema.strays_of_texts(name, &[text.to_owned()]));
            strays.extend(given.into_iter().flatten());
        }
        let media = header(CONTENT_TYPE.as_str()).and_then(|value| value.split(';').next()).unwrap_or_default();
        match (declared.content.get(media), serde_json::from_slice(answer.body())) {
            (None, _) => strays.push(format!("`{media}` is not declared")),
            (_, Err(error)) => strays.push(format!("the body is no JSON: {error}")),
            (Some(described), Ok(body)) => strays.extend(described.schema.strays("body", &body)),
        }
        strays
    }

    fn strays_of_parameter(&self, place: &Place, name: &str, values: &[String]) -> Vec<String> {
        match self.declared.parameters.iter().find(|it| it.r#in == *place && it.name == name) {
            Some(parameter) => parameter.schema.strays_of_texts(name, values),
            None => vec![format!("`{name}` is not a parameter")],
        }
    }

    fn segments<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.path.split('/').zip(path.split('/'))
    }
}
