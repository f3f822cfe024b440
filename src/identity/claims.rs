//! The claims that a caller is known by.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a token has to say for a caller to be meant: claims by name, with their
/// values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims(BTreeMap<String, String>);

impl Claims {
    /// These.
    #[must_use]
    pub fn new(claims: BTreeMap<String, String>) -> Self {
        Self(claims)
    }

    /// Whether there are none: no token means such a caller.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every token with the others' claims has these too.
    #[must_use]
    pub fn are_among(&self, others: &Self) -> bool {
        self.0.iter().all(|(name, value)| others.0.get(name) == Some(value))
    }

    /// Whether a token's claims have all of these: as text, or in a list of
    /// texts.
    pub(super) fn are_in(&self, token: &Map<String, Value>) -> bool {
        self.0.iter().all(|(name, wanted)| match token.get(name) {
            Some(Value::String(value)) => value == wanted,
            Some(Value::Array(values)) => values.iter().any(|value| value.as_str() == Some(wanted)),
            _ => false,
        })
    }
}
