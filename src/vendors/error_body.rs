//! Error bodies, read field by field.
//!
//! Every member is optional and may have any type. Text that is not JSON is the
//! message itself.

mod bounded;
mod envelope;

use serde_json::{Map, Value};

use super::{json, meaning::Meaning};

/// Longest prefix of a text that is read, and of a body that is searched for phrases.
const MAX_SEARCHED: usize = 64 << 10;
/// Phrases of protection services.
const CHALLENGES: &[&str] = &[
    "captcha",
    "challenge",
    "just a moment",
    "checking your browser",
    "cloudflare",
    "incapsula",
    "perimeterx",
    "datadome",
    "ddos protection",
    "web application firewall",
    "unusual traffic",
];

/// Content of an error body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    /// Status that the body states.
    pub(super) status: Option<u16>,
    /// True if the body says that the request failed.
    pub(super) is_error: bool,
}

impl ErrorBody {
    /// Reads a body.
    pub(super) fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&body[..body.len().min(MAX_SEARCHED)]);
        let text = text.trim_start_matches('\u{feff}').trim();
        if is_markup(body) {
            return Self { message: title(text), ..Self::default() };
        }
        let json = json::repair(body).ok().and_then(|(text, _)| envelope::parse(&text));
        match json {
            Some(Value::Object(object)) => Self::from_object(&object),
            Some(Value::Array(errors)) => {
                let first = errors.iter().find_map(Value::as_object).map(Self::from_object).unwrap_or_default();
                let message = first.message.or_else(|| self::text(&Value::Array(errors)));
                Self { message, is_error: false, ..first }
            }
            Some(value) => Self { message: self::text(&value), ..Self::default() },
            None if text.is_empty() || text.starts_with(['{', '[']) => Self::default(),
            None => Self { message: Some(one_line(text)), ..Self::default() },
        }
    }

    /// Returns whether a body with records says that the request failed. Only
    /// members of the envelope say so, and the rows are not read.
    pub(super) fn is_stated(body: &[u8]) -> bool {
        envelope::read(body).is_some_and(|envelope| Self::from_object(&envelope).is_error)
    }

    /// Returns the meaning of the code, or of the message if no code is known.
    pub(super) fn meaning(&self) -> Option<Meaning> {
        Meaning::of(self.code.as_deref().unwrap_or_default(), self.message.as_deref().unwrap_or_default())
    }

    fn from_object(object: &Map<String, Value>) -> Self {
        let inner = [object.get("error"), object.get("data").and_then(|data| data.get("error"))]
            .into_iter()
            .flatten()
            .find(|error| is_present(error));
        let nested = inner.and_then(|error| match error {
            Value::Array(errors) => errors.first()?.as_object(),
            error => error.as_object(),
        });
        let levels = [nested, Some(object)];
        let find = |names: &[&str]| {
            levels.into_iter().flatten().find_map(|level| names.iter().find_map(|name| text(level.get(*name)?)))
        };
        let mut code = find(&["type", "code", "error_code", "errorCode"]);
        let mut message = find(&["message", "detail", "error_description", "title", "description", "msg", "reason"]);
        if let Some(error) = inner.filter(|_| nested.is_none()).and_then(text) {
            match message {
                None => message = Some(error),
                Some(_) => code = code.or(Some(error)),
            }
        }
        let errors = levels.into_iter().flatten().find_map(|level| {
            ["errors", "Errors"].iter().find_map(|name| level.get(*name).filter(|errors| is_present(errors)))
        });
        if let Some(detail) = errors.and_then(detail) {
            message = Some(match message {
                Some(message) => format!("{message} ({detail})"),
                None => format!("({detail})"),
            });
        }
        let status = levels.into_iter().flatten().find_map(|level| {
            let names = ["status", "status_code", "statusCode", "code"];
            names.iter().find_map(|name| http_status(level.get(*name)?))
        });
        let is_refused = ["success", "ok"].iter().any(|name| object.get(*name).is_some_and(is_false));
        let is_error = is_refused || inner.is_some() || errors.is_some() || status.is_some();
        Self { code, message, status, is_error }
    }
}

/// Returns true if a body is HTML or XML.
pub(super) fn is_markup(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.trim_ascii_start().starts_with(b"<")
}

/// Returns true if a body is a challenge of a protection service.
pub(super) fn is_challenge(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_SEARCHED)]).to_lowercase();
    CHALLENGES.iter().any(|phrase| text.contains(phrase))
}

/// Returns false for the values of an absent error.
fn is_present(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(errors) => !errors.is_empty(),
        Value::Object(error) => !error.is_empty(),
        Value::Number(code) => code.as_f64() != Some(0.0),
        Value::Bool(true) => true,
    }
}

fn is_false(value: &Value) -> bool {
    match value {
        Value::Bool(success) => !success,
        Value::String(text) => ["false", "0", "no"].iter().any(|no| text.trim().eq_ignore_ascii_case(no)),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

fn http_status(value: &Value) -> Option<u16> {
    let status = match value {
        Value::Number(number) => number.as_u64().and_then(|status| status.try_into().ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    status.filter(|status| (400..=599).contains(status))
}

/// Returns a value as text, if it has some.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(one_line(text)).filter(|text| !text.is_empty() && !has_markup(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => values.iter().find_map(text),
        Value::Object(object) => {
            ["message", "detail", "details", "title", "msg"].iter().find_map(|name| text(object.get(*name)?))
        }
        Value::Null | Value::Bool(_) => None,
    }
}

/// Returns the first detail of a list or an object of errors.
fn detail(errors: &Value) -> Option<String> {
    match errors {
        Value::Array(errors) => errors.iter().find_map(detail),
        Value::Object(error) => {
            let field = ["field", "pointer", "param", "path", "name"].iter().find_map(|name| text(error.get(*name)?));
            let details =
                ["message", "details", "detail", "msg", "title"].iter().find_map(|name| text(error.get(*name)?));
            match (field, details) {
                (Some(field), Some(details)) => Some(format!("{field}: {details}")),
                (Some(field), None) => Some(format!("{field}: ")),
                (None, Some(details)) => Some(details),
                // An object of field names: `{"email": ["is invalid"]}`.
                (None, None) => error.iter().find_map(|(field, details)| Some(format!("{field}: {}", text(details)?))),
            }
        }
        value => text(value),
    }
}

/// Returns true if a text has HTML in it. Markup is not a message.
fn has_markup(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.starts_with('<') || ["</", "<html", "<body", "<!doctype"].iter().any(|tag| lower.contains(tag))
}

/// Returns the title of an HTML page.
fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(one_line(&page[start..end])).filter(|title| !title.is_empty())
}

/// Returns the words of a text, up to a length.
fn one_line(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_SEARCHED)]
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
