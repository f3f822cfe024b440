//! Connection names.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, de};

/// Name of a connection: `[a-z][a-z0-9-]*`, at most 63 characters.
///
/// A name contains no dot. `<connection>.<vendor's id>` therefore splits at the
/// first dot.
///
/// ```
/// use customer_gateway::domain::connection::ConnectionName;
/// assert!("affiliates".parse::<ConnectionName>().is_ok());
/// assert!("Tax.EU".parse::<ConnectionName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ConnectionName(Arc<str>);

/// Text that is not a connection name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a connection name starts with a lowercase letter and contains only lowercase letters, digits and hyphens, at most 63 characters"
)]
pub struct InvalidConnectionName;

impl ConnectionName {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Maximum length of a name, in characters.
const MAX_LENGTH: usize = 63;

impl FromStr for ConnectionName {
    type Err = InvalidConnectionName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let starts_with_letter = text.starts_with(|c: char| c.is_ascii_lowercase());
        let has_valid_characters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if starts_with_letter && has_valid_characters && text.len() <= MAX_LENGTH {
            Ok(Self(text.into()))
        } else {
            Err(InvalidConnectionName)
        }
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for ConnectionName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ConnectionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
