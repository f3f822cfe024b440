//! Locations of secrets and key sets: tables with exactly one key.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// Location of a secret. An inline secret is rejected and not repeated.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Secret {
    Env(String),
    File(PathBuf),
}

/// Location of an identity provider's keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Jwks {
    Url(String),
    File(PathBuf),
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        match single_entry(&value) {
            Some(("env", name)) => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) => Ok(Self::File(path.into())),
            _ => {
                Err(D::Error::custom("secrets must not be inline; write { env = \"VARIABLE\" } or { file = \"path\" }"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Jwks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        match single_entry(&value) {
            Some(("url", url)) => Ok(Self::Url(url.to_owned())),
            Some(("file", path)) => Ok(Self::File(path.into())),
            _ => Err(D::Error::custom(
                "invalid location of the keys; write { url = \"https://…\" } or { file = \"path\" }",
            )),
        }
    }
}

/// Returns the only entry of a table, if its value is a string.
fn single_entry(value: &toml::Value) -> Option<(&str, &str)> {
    let table = value.as_table().filter(|table| table.len() == 1)?;
    let (key, value) = table.iter().next()?;
    Some((key, value.as_str()?))
}
