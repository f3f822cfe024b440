//! Claims that identify a caller.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Claims that a token must contain, by name and value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims(BTreeMap<String, String>);

impl Claims {
    /// Creates required claims.
    #[must_use]
    pub fn new(claims: BTreeMap<String, String>) -> Self {
        Self(claims)
    }

    /// Returns whether no claim is required. No token identifies such a caller.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether every token that matches `other` also matches these claims.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|(name, value)| other.0.get(name) == Some(value))
    }

    /// Returns whether a token contains all claims. A claim is an equal string or
    /// a list that contains the string.
    pub(super) fn matches(&self, token: &Map<String, Value>) -> bool {
        self.0.iter().all(|(name, required)| match token.get(name) {
            Some(Value::String(value)) => value == required,
            Some(Value::Array(values)) => values.iter().any(|value| value.as_str() == Some(required)),
            _ => false,
        })
    }
}
