//! Strict parsing of query strings.

use url::form_urlencoded;

/// Query string that holds only the parameters that the vendor's page lists.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

/// Error in one query parameter.
#[derive(Debug)]
pub(crate) struct InvalidParameter {
    pub(crate) parameter: String,
    pub(crate) message: String,
}

impl Query {
    /// Parses a query string. Each parameter of `single` may occur once, each parameter of
    /// `repeated` any number of times. Other parameters and empty values are errors. As in any
    /// form, a raw `+` is a space.
    pub(crate) fn parse(raw: Option<&str>, single: &[&str], repeated: &[&str]) -> Result<Self, InvalidParameter> {
        let mut query = Self(Vec::new());
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            let name = name.as_ref();
            if !single.contains(&name) && !repeated.contains(&name) {
                return Err(InvalidParameter::new(name, format!("{name} is not a known parameter")));
            }
            if single.contains(&name) && query.get(name).is_some() {
                return Err(InvalidParameter::new(name, format!("{name} must not be repeated")));
            }
            if value.is_empty() {
                return Err(InvalidParameter::new(name, format!("{name} must not be empty")));
            }
            query.0.push((name.to_owned(), value.into_owned()));
        }
        Ok(query)
    }

    /// Returns the value of a parameter, or the first value of a repeated parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns all values of a repeated parameter.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Returns all names with their values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the value of a parameter that the page marks as required.
    pub(crate) fn required(&self, name: &str) -> Result<&str, InvalidParameter> {
        self.get(name).ok_or_else(|| InvalidParameter::new(name, format!("{name} is required")))
    }

    /// Splits a comma list. An empty item is an error and is not dropped.
    pub(crate) fn comma_list(&self, name: &str) -> Result<Vec<String>, InvalidParameter> {
        let Some(list) = self.get(name) else {
            return Ok(Vec::new());
        };
        list.split(',')
            .map(|item| {
                if item.is_empty() {
                    Err(InvalidParameter::new(name, format!("{name} has an empty item")))
                } else {
                    Ok(item.to_owned())
                }
            })
            .collect()
    }

    /// Returns `limit`. Both vendors document a default of 10 and a maximum of 100.
    pub(crate) fn limit(&self) -> Result<usize, InvalidParameter> {
        let Some(text) = self.get("limit") else {
            return Ok(10);
        };
        // Digits only: Rust would also parse `+5`.
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten()
            .filter(|limit| (1..=100).contains(limit))
            .ok_or_else(|| InvalidParameter::new("limit", "limit must be an integer from 1 to 100"))
    }
}

impl InvalidParameter {
    pub(crate) fn new(parameter: &str, message: impl Into<String>) -> Self {
        Self { parameter: parameter.to_owned(), message: message.into() }
    }
}
