//! Name and attributes of request spans, by the semantic conventions for HTTP.
//! Like the log line, a span contains neither the target nor the query.

use std::sync::Arc;

use http::Method;
use opentelemetry::{KeyValue, trace::SpanBuilder};

use crate::{
    telemetry::{request::NONE, trace::Span},
    web::middleware::record::{RequestLabels, RequestOutcome},
};

/// Returns the name and the first attributes of a request's span.
pub(crate) fn describe(method: &Method, route: &str) -> SpanBuilder {
    // Other methods are replaced, because callers can send any text.
    let is_standard = matches!(method.as_str(), "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "PATCH");
    let (method, name) = if is_standard { (method.as_str(), method.as_str()) } else { ("_OTHER", "HTTP") };
    let mut attributes = vec![KeyValue::new("http.request.method", method.to_owned())];
    let mut name = name.to_owned();
    if route != NONE {
        attributes.push(KeyValue::new("http.route", route.to_owned()));
        name = format!("{name} {route}");
    }
    SpanBuilder::from_name(name).with_attributes(attributes)
}

/// Adds the final attributes and ends the span.
pub(crate) fn end(span: Span, labels: &RequestLabels, outcome: &RequestOutcome<'_>) {
    let RequestOutcome { status, request_id, code, origin } = outcome;
    let error = status.is_server_error().then(|| code.map_or_else(|| status.as_str().to_owned().into(), Into::into));
    span.end(error, || {
        let names = [("gateway.caller", &labels.caller), ("gateway.connection", &labels.connections)];
        let names = names.into_iter().filter(|(_, name)| ***name != *NONE);
        let mut attributes: Vec<_> = names.map(|(key, name)| KeyValue::new(key, Arc::clone(name))).collect();
        attributes.push(KeyValue::new("gateway.request_id", (*request_id).to_owned()));
        attributes.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        if let Some(origin) = origin {
            attributes.push(KeyValue::new("gateway.cache", origin.cache));
            attributes.push(KeyValue::new("gateway.vendor_calls", i64::from(origin.vendor_calls)));
        }
        attributes
    });
}
