//! A query, read strictly: what is unknown, repeated or empty is refused by
//! its name, and nothing is dropped.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use crate::web::problem::{Code, Problem};

/// A query's parameters that have not been read yet.
#[derive(Debug)]
pub(crate) struct Query<'q> {
    pairs: Vec<(Cow<'q, str>, Cow<'q, str>)>,
}

impl<'q> Query<'q> {
    /// Reads a query that may hold these parameters and no others.
    pub(crate) fn parse(query: Option<&'q str>, known: &[&str]) -> Result<Self, Problem> {
        let pairs: Vec<_> = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect();
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_ref())) {
            let detail = format!("there is no parameter `{name}` here");
            return Err(Problem::new(Code::UnknownParameter, detail)
                .parameter(name.to_string())
                .supported(known.iter().copied()));
        }
        if let Some((name, _)) = pairs.iter().find(|(_, value)| value.is_empty()) {
            let detail = format!("`{name}` is empty; leave it out, or give it a value");
            return Err(Problem::new(Code::InvalidParameter, detail).parameter(name.to_string()));
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn one(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.many(name);
        let value = values.next();
        if values.next().is_some() {
            let detail = format!("`{name}` takes one value, and was given more than once");
            return Err(Problem::new(Code::RepeatedParameter, detail).parameter(name));
        }
        Ok(value)
    }

    /// The values of a parameter that may be repeated.
    pub(crate) fn many(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_ref())
    }

    /// The values of a parameter that may be repeated, or be one list
    /// separated by commas: for values that hold no comma themselves.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.many(name).flat_map(|value| value.split(','))
    }
}

/// Whether a request's target is percent-encoded UTF-8 throughout.
pub(crate) fn is_percent_encoded(target: &str) -> bool {
    let bytes = target.as_bytes();
    let complete = bytes
        .iter()
        .enumerate()
        .filter(|&(_, &byte)| byte == b'%')
        .all(|(at, _)| bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    complete && percent_decode_str(target).decode_utf8().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_percent_encoded_utf8_or_refused() {
        for good in ["/customers", "/customers/a%2Fb?x=%C3%A9+%25"] {
            assert!(is_percent_encoded(good), "{good}");
        }
        for bad in ["/%", "/%4", "/%zz", "/%C3", "/customers?x=%ff"] {
            assert!(!is_percent_encoded(bad), "{bad}");
        }
    }
}
