//! Error bodies, read field by field. A field of an unexpected type costs no
//! other field (FACTS.md, cases 6 and 47).

use serde_json::{Map, Value};

use super::json::repair;

/// Names of a message, the most specific name first.
const MESSAGE: &[&str] = &["message", "detail", "details", "error_description", "description", "reason", "title"];
/// Names of a code, the most specific name first.
const CODE: &[&str] = &["type", "code", "error_code"];
/// Names of a list of details.
const ERRORS: &[&str] = &["errors", "Errors"];
/// Names of the field that a detail concerns.
const FIELD: &[&str] = &["field", "pointer", "param", "path", "property"];
/// Maximum length of a message that is not JSON, in bytes.
const MAX_PLAIN_TEXT: usize = 1024;

/// The vendor's description of an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ErrorBody {
    /// The error code or type.
    pub(super) code: Option<String>,
    /// The message, with the first detail.
    pub(super) message: Option<String>,
}

impl ErrorBody {
    /// Reads the body of a response without records.
    pub(super) fn read(body: &[u8]) -> Self {
        let json = repair(body).ok().and_then(|(text, _)| serde_json::from_str(&text).ok());
        match json {
            Some(Value::Object(object)) => Self::from_object(&object),
            // A single bare word is read as an empty array.
            Some(Value::Array(list)) if !list.is_empty() => {
                list.iter().find_map(Self::from_element).unwrap_or_default()
            }
            Some(Value::String(text)) => Self { message: message_text(&text), ..Self::default() },
            Some(Value::Array(_)) | None => Self { message: plain_text(body), ..Self::default() },
            Some(Value::Null | Value::Bool(_) | Value::Number(_)) => Self::default(),
        }
    }

    fn from_object(object: &Map<String, Value>) -> Self {
        let inner = object.get("error").or_else(|| object.get("fault"));
        let nested = match inner {
            Some(Value::Object(inner)) => Self::from_object(inner),
            Some(Value::Array(list)) => list.iter().find_map(Self::from_element).unwrap_or_default(),
            _ => Self::default(),
        };
        let summary = inner.and_then(Value::as_str).and_then(message_text);
        let message = nested.message.or_else(|| first(object, MESSAGE, text));
        let code = nested.code.or_else(|| first(object, CODE, code));
        let (code, message) = match (summary, message) {
            (Some(summary), None) => (code, Some(summary)),
            // A word beside a message is a code: `{"error":"invalid_request","message":…}`.
            (Some(summary), message) if code.is_none() && !summary.contains(' ') => (Some(summary), message),
            (_, message) => (code, message),
        };
        let detail = ERRORS.iter().find_map(|name| detail(object.get(*name)?));
        let message = match (message, detail) {
            (Some(message), Some(detail)) if detail != format!("({message})") => Some(format!("{message} {detail}")),
            (None, detail) => detail,
            (message, _) => message,
        };
        Self { code, message }
    }

    fn from_element(element: &Value) -> Option<Self> {
        let read = match element {
            Value::Object(object) => Self::from_object(object),
            element => Self { message: text(element), ..Self::default() },
        };
        (read != Self::default()).then_some(read)
    }
}

/// Returns the first readable value among these names.
fn first(object: &Map<String, Value>, names: &[&str], read: impl Fn(&Value) -> Option<String>) -> Option<String> {
    names.iter().find_map(|name| read(object.get(*name)?))
}

/// Returns the message in a value of any type.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => message_text(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => list.iter().find_map(text),
        Value::Object(object) => first(object, MESSAGE, text),
        Value::Null | Value::Bool(_) => None,
    }
}

/// Returns the code in a value. A URL is a link to a description.
fn code(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.contains("://") || text == "about:blank" => None,
        Value::String(text) => message_text(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the first detail of an error: `(status: is invalid)`.
fn detail(errors: &Value) -> Option<String> {
    match errors {
        Value::Array(list) => list.iter().find_map(|element| match element {
            Value::Object(object) => {
                let (field, message) = (first(object, FIELD, text), first(object, MESSAGE, text));
                match (field, message) {
                    (None, None) => None,
                    (Some(field), message) => Some(format!("({field}: {})", message.unwrap_or_default())),
                    (None, Some(message)) => Some(format!("({message})")),
                }
            }
            element => text(element).map(|message| format!("({message})")),
        }),
        Value::Object(fields) => fields.iter().find_map(|(field, value)| Some(format!("({field}: {})", text(value)?))),
        errors => text(errors).map(|message| format!("({message})")),
    }
}

/// Returns a text without control characters. Markup is not a message.
fn message_text(text: &str) -> Option<String> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let is_markup =
        text.starts_with('<') || ["</", "<html", "<body", "<!doctype"].iter().any(|tag| lower.contains(tag));
    let is_message = !text.is_empty() && !is_markup;
    is_message.then(|| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}

/// Returns the message in a short body that is not JSON.
fn plain_text(body: &[u8]) -> Option<String> {
    let is_message = body.len() <= MAX_PLAIN_TEXT && !body.contains(&0) && !matches!(body.first(), Some(b'{' | b'['));
    message_text(std::str::from_utf8(body).ok().filter(|_| is_message)?)
        .filter(|text| text.contains(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_read(body: &str, code: Option<&str>, message: Option<&str>) {
        let read = ErrorBody::read(body.as_bytes());
        assert_eq!((read.code.as_deref(), read.message.as_deref()), (code, message), "{body}");
    }

    #[test]
    fn every_shape_of_error_is_read() {
        assert_read(
            r#"{"success":false,"message":"Invalid program","code":4001}"#,
            Some("4001"),
            Some("Invalid program"),
        );
        assert_read(r#"{"error":"Invalid program"}"#, None, Some("Invalid program"));
        assert_read("Invalid program\n", None, Some("Invalid program"));
        assert_read("Forbidden", None, Some("Forbidden"));
        assert_read(r#""Invalid program""#, None, Some("Invalid program"));
        assert_read(r#"["Invalid program"]"#, None, Some("Invalid program"));
        assert_read(r#"[null, {"message":"Invalid program","code":"bad"}]"#, Some("bad"), Some("Invalid program"));
        assert_read(r#"{"error":["Invalid program"]}"#, None, Some("Invalid program"));
        assert_read(r#"{"error":[{"detail":"Invalid program"}]}"#, None, Some("Invalid program"));
        assert_read(r#"{"errors":["Invalid program"]}"#, None, Some("(Invalid program)"));
        assert_read(r#"{"errors":{"email":["is invalid"]}}"#, None, Some("(email: is invalid)"));
        assert_read(r#"{"message":["a is bad","b is bad"],"error":"Bad Request"}"#, None, Some("a is bad"));
        assert_read(
            r#"{"error":"invalid_grant","error_description":"Expired"}"#,
            Some("invalid_grant"),
            Some("Expired"),
        );
        assert_read(
            r#"{"type":"https://example.com/bad","title":"Bad","detail":"Worse","status":400}"#,
            None,
            Some("Worse"),
        );
        assert_read(r#"{"error":{"message":7,"type":{"a":1},"code":42}}"#, Some("42"), Some("7"));
        assert_read(r#"{"message":{"text":"x"},"error":{"message":"Inner"}}"#, None, Some("Inner"));
        assert_read(
            r#"{"message":"Bad","errors":[{"field":"limit","message":"too big"}]}"#,
            None,
            Some("Bad (limit: too big)"),
        );
    }

    #[test]
    fn damaged_json_keeps_its_message() {
        assert_read("\u{feff}{\"message\":\"Inv\\ud83d\",\"code\":1e400}", None, Some("Inv\u{fffd}"));
        assert_read("{\"message\":\"a\nb\u{1}c\"}", None, Some("a b c"));
        assert_read(r#"{"message":"first","message":"last"}"#, None, Some("last"));
    }

    #[test]
    fn markup_is_not_a_message() {
        for body in [
            "<html><body>Blocked</body></html>",
            "\n <!DOCTYPE html><title>Sorry</title>",
            "<?xml version=\"1.0\"?><Error/>",
            "Sorry, <b>blocked</b>",
            r#"{"message":"<html>Blocked</html>"}"#,
            r#"{"error":"<p>Blocked</p>"}"#,
            "{\"message\":\"cut",
            "{}",
            "[]",
            "",
            "42",
            "null",
        ] {
            assert_read(body, None, None);
        }
    }
}
