//! Strict query strings: unknown, repeated and empty parameters are rejected by
//! name, never ignored.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use crate::web::problem::{Code, Problem};

/// A decoded query string that contains known parameters only.
#[derive(Debug)]
pub(crate) struct QueryString<'q> {
    pairs: Vec<(Cow<'q, str>, Cow<'q, str>)>,
}

impl<'q> QueryString<'q> {
    /// Parses a query string. Rejects parameters that are not `known` and
    /// parameters without a value.
    pub(crate) fn parse(query: Option<&'q str>, known: &[&str]) -> Result<Self, Problem> {
        let pairs: Vec<_> = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect();
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_ref())) {
            return Err(Problem::new(Code::UnknownParameter, format!("this route has no parameter `{name}`"))
                .parameter(name.to_string())
                .supported(known.iter().copied()));
        }
        if let Some((name, _)) = pairs.iter().find(|(_, value)| value.is_empty()) {
            let detail = format!("`{name}` is empty; remove the parameter or give it a value");
            return Err(Problem::new(Code::InvalidParameter, detail).parameter(name.to_string()));
        }
        Ok(Self { pairs })
    }

    /// Returns the names of all parameters, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_ref())
    }

    /// Returns the value of a single-value parameter. Rejects a repeated parameter.
    pub(crate) fn one(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.many(name);
        let value = values.next();
        if values.next().is_some() {
            let detail = format!("`{name}` takes one value, but the request repeats the parameter");
            return Err(Problem::new(Code::RepeatedParameter, detail).parameter(name));
        }
        Ok(value)
    }

    /// Returns the values of a repeatable parameter.
    pub(crate) fn many(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(pair_name, _)| pair_name == name).map(|(_, value)| value.as_ref())
    }

    /// Returns the values of a parameter that may be repeated or comma-separated.
    /// The values must not contain commas themselves.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.many(name).flat_map(|value| value.split(','))
    }
}

/// Returns whether a request target is percent-encoded UTF-8.
pub(crate) fn is_percent_encoded(target: &str) -> bool {
    let bytes = target.as_bytes();
    let has_complete_escapes = bytes
        .iter()
        .enumerate()
        .filter(|&(_, &byte)| byte == b'%')
        .all(|(at, _)| bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    has_complete_escapes && percent_decode_str(target).decode_utf8().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoded_utf8_is_accepted() {
        for target in ["/customers", "/customers/a%2Fb?x=%C3%A9+%25"] {
            assert!(is_percent_encoded(target), "{target}");
        }
    }

    #[test]
    fn malformed_percent_encoding_is_rejected() {
        for target in ["/%", "/%4", "/%zz", "/%C3", "/customers?x=%ff"] {
            assert!(!is_percent_encoded(target), "{target}");
        }
    }
}
