//! Query strings, read strictly.

use url::form_urlencoded;

/// A query that holds only what its page lists.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

/// What is wrong with a query, and where.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) parameter: String,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(parameter: &str, message: impl Into<String>) -> Self {
        Self { parameter: parameter.to_owned(), message: message.into() }
    }
}

impl Query {
    /// Reads a query that may hold each of `single` once and each of `repeated` any number of
    /// times, nothing else and nothing empty. As in any form, a raw `+` is a space.
    pub(crate) fn parse(raw: Option<&str>, single: &[&str], repeated: &[&str]) -> Result<Self, Refusal> {
        let mut query = Self(Vec::new());
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            let name = name.as_ref();
            if !single.contains(&name) && !repeated.contains(&name) {
                return Err(Refusal::new(name, format!("{name} is not a parameter")));
            }
            if single.contains(&name) && query.get(name).is_some() {
                return Err(Refusal::new(name, format!("{name} is given twice")));
            }
            if value.is_empty() {
                return Err(Refusal::new(name, format!("{name} is empty")));
            }
            query.0.push((name.to_owned(), value.into_owned()));
        }
        Ok(query)
    }

    /// A parameter's value, the first if it is repeated.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// A repeated parameter's values.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Every name with its value.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A parameter that the page marks as required.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::new(name, format!("{name} is required")))
    }

    /// `limit`, of which both vendors say: 10 by default, 100 at most.
    pub(crate) fn limit(&self) -> Result<usize, Refusal> {
        let Some(text) = self.get("limit") else {
            return Ok(10);
        };
        // Digits only: Rust would also read `+5`.
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten()
            .filter(|limit| (1..=100).contains(limit))
            .ok_or_else(|| Refusal::new("limit", "limit must be a number from 1 to 100"))
    }
}
