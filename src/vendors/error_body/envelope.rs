//! Members of an error body or an envelope that describe an error, read without the
//! rows.

use std::{borrow::Cow, fmt, sync::LazyLock};

use aho_corasick::packed::Searcher;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::vendors::{
    json,
    wire::{Field, Nested},
};

use super::bounded::Bounded;

/// Names of the members that can state an error.
const NAMES: &[&str] = &["success", "ok", "error", "errors", "Errors", "status", "status_code", "statusCode", "code"];
/// Names of the members that only describe an error.
const DESCRIPTIONS: &[&str] = &[
    "type",
    "error_code",
    "errorCode",
    "message",
    "detail",
    "error_description",
    "title",
    "description",
    "msg",
    "reason",
];

/// Vectorized search for all quoted names in one pass, since every body of records is
/// searched. `None` on a processor without the required instructions.
static QUOTED_NAMES: LazyLock<Option<Searcher>> =
    LazyLock::new(|| Searcher::new(NAMES.iter().map(|name| format!("\"{name}\""))));

/// Reads the members of an object that describe an error, or another value. Each value
/// is bounded. `None` if the text is not JSON.
pub(super) fn parse(json: &str) -> Option<Value> {
    if json.trim_start().starts_with('{') {
        serde_json::from_str(json).ok().map(|Envelope(members)| Value::Object(members))
    } else {
        serde_json::from_str(json).ok().map(|Bounded(value)| value)
    }
}

/// Returns the members that describe an error. `None` if no member of the body,
/// envelope or row, has a value that states one.
pub(super) fn read(body: &[u8]) -> Option<Map<String, Value>> {
    if !has_statement(body) {
        return None;
    }
    let Envelope(members) = serde_json::from_slice(body).ok().or_else(|| {
        let (text, _) = json::repair(body).ok()?;
        serde_json::from_str(&text).ok()
    })?;
    Some(members)
}

/// Returns true if a member of the body has a value that may state an error.
fn has_statement(body: &[u8]) -> bool {
    let Some(search) = &*QUOTED_NAMES else { return true };
    search.find_iter(body).any(|found| {
        let name = NAMES[found.pattern().as_usize()];
        let rest = body[found.end()..].trim_ascii_start();
        rest.strip_prefix(b":").is_some_and(|value| is_statement(name, value.trim_ascii_start()))
    })
}

/// Returns true if a value, by its first bytes, may state an error. Names such as
/// `status` occur in every row, with other values.
fn is_statement(name: &str, value: &[u8]) -> bool {
    match name {
        "success" | "ok" => {
            value.starts_with(b"f") || value.starts_with(b"\"") || value.starts_with(b"0") || value.starts_with(b"-0")
        }
        "error" | "errors" | "Errors" => {
            !["null", "false", "\"\"", "[]", "{}"].iter().any(|absent| value.starts_with(absent.as_bytes()))
        }
        _ => matches!(value.strip_prefix(b"\"").unwrap_or(value).trim_ascii_start().first(), Some(b'4' | b'5')),
    }
}

/// Members of an envelope, and the `error` in its `data`.
struct Envelope(Map<String, Value>);

/// Members of `data`.
#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    error: Bounded,
}

struct EnvelopeVisitor;

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = object.next_key::<Cow<'_, str>>()? {
            let value = match &*name {
                "data" => match object.next_value::<Nested<Data>>()?.into_field() {
                    Field::Value(Data { error: Bounded(error) }) => {
                        Map::from_iter([("error".to_owned(), error)]).into()
                    }
                    Field::Missing | Field::Unreadable => Value::Null,
                },
                name if NAMES.contains(&name) || DESCRIPTIONS.contains(&name) => object.next_value::<Bounded>()?.0,
                _ => {
                    object.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            members.insert(name.into_owned(), value);
        }
        Ok(Envelope(members))
    }
}
