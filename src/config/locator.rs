//! Lines and keys of errors in a TOML file.

use std::{ops::Range, path::Path};

use toml::de::{DeTable, DeValue};

use super::{ConfigError, error::Fault};

/// End of serde's message for a zero in a `NonZeroU32`.
const NONZERO: &str = "integer `0`, expected a nonzero u32";

/// Locates keys in the text of a file.
pub(super) struct Locator<'t> {
    text: &'t str,
    path: &'t Path,
}

impl<'t> Locator<'t> {
    pub(super) fn new(text: &'t str, path: &'t Path) -> Self {
        Self { text, path }
    }

    /// Creates the error for a key, written as `connections.0.name`. If the file
    /// lacks the key, the error has the line of the innermost enclosing table.
    pub(super) fn error(&self, key: &str, fault: Fault) -> ConfigError {
        let line = self.span(key).map(|span| self.line(span.start));
        ConfigError::new(self.path, line, Some(key.to_owned()), fault)
    }

    /// Converts an error of the TOML parser.
    pub(super) fn parse_error(&self, error: &toml::de::Error) -> ConfigError {
        let line = error.span().map(|span| self.line(span.start));
        let key = error.span().and_then(|span| self.key_at(span.start));
        let fault = match key.as_deref() {
            Some(section @ ("connections" | "callers")) if error.message().contains("expected a sequence") => {
                Fault::new(format!("`{section}` must be a list of sections"))
                    .fix(format!("write [[{section}]] with double brackets above each section"))
            }
            _ if error.message().ends_with(NONZERO) => {
                Fault::new("the number is zero").fix("write a whole number of at least 1, or remove the key")
            }
            _ => Fault::new(without_value(error.message())),
        };
        ConfigError::new(self.path, line, key, fault)
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
    }

    /// Returns the innermost key whose name or value contains an offset.
    fn key_at(&self, offset: usize) -> Option<String> {
        let document = DeTable::parse(self.text).ok()?;
        innermost_key(&DeValue::Table(document.into_inner()), offset)
    }

    fn span(&self, key: &str) -> Option<Range<usize>> {
        let document = DeTable::parse(self.text).ok()?;
        let mut value = DeValue::Table(document.into_inner());
        let mut span = None;
        for part in key.split('.') {
            let next = match value {
                DeValue::Table(table) => table.into_iter().find(|(name, _)| name.get_ref() == part).map(|(_, it)| it),
                DeValue::Array(array) => part.parse().ok().and_then(|index: usize| array.into_iter().nth(index)),
                _ => None,
            };
            let Some(next) = next else { break };
            span = Some(next.span());
            value = next.into_inner();
        }
        span
    }
}

/// Removes the value from a message of serde. The value may be a misplaced
/// secret, and the message is logged.
fn without_value(message: &str) -> String {
    match (message.split_once(": string \""), message.rsplit_once(", expected ")) {
        (Some((failure, _)), Some((_, expected))) => format!("{failure}: string, expected {expected}"),
        _ => message.to_owned(),
    }
}

/// Searches all values, because the span of a `[section]` covers only its header.
fn innermost_key(value: &DeValue<'_>, offset: usize) -> Option<String> {
    let found = |part: String, is_here: bool, inner: &DeValue<'_>| match innermost_key(inner, offset) {
        Some(rest) => Some(format!("{part}.{rest}")),
        None => is_here.then_some(part),
    };
    match value {
        DeValue::Table(table) => table.iter().find_map(|(key, inner)| {
            let is_here = key.span().contains(&offset) || inner.span().contains(&offset);
            found(key.get_ref().to_string(), is_here, inner.get_ref())
        }),
        DeValue::Array(array) => array
            .iter()
            .enumerate()
            .find_map(|(index, inner)| found(index.to_string(), inner.span().contains(&offset), inner.get_ref())),
        _ => None,
    }
}
