//! Parsing of the file, which collects the errors of all its keys.
//!
//! The TOML parser stops at the first error. The statement of each error is
//! therefore removed, and the rest is parsed again.

use std::{ops::Range, path::Path};

use super::{ConfigError, file::File, locator::Locator};

/// Maximum number of errors that are collected.
const MAX_ERRORS: usize = 50;

/// Parsed file.
pub(super) struct Parsed {
    /// The keys without errors; `None` if an error cannot be removed, such as a
    /// missing quotation mark.
    pub(super) file: Option<File>,
    pub(super) errors: Vec<ConfigError>,
    /// Text of the keys without errors. Spaces replace the others, so every offset is
    /// an offset of the file.
    pub(super) readable: String,
}

impl Parsed {
    /// Parses the text of a file.
    pub(super) fn new(text: &str, path: &Path) -> Self {
        let mut readable = text.to_owned();
        let mut errors: Vec<ConfigError> = Vec::new();
        loop {
            let error = match toml::from_str(&readable) {
                Ok(file) => return Self { file: Some(file), errors, readable },
                Err(error) => error,
            };
            let locator = Locator::new(&readable, path);
            let complaint = locator.parse_error(&error);
            // The key may be missing because its statement was removed.
            let missing = error.message().strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
            let is_removed = missing.is_some_and(|name| {
                let key = [complaint.subject().unwrap_or_default(), name].join(".");
                let key = key.trim_start_matches('.');
                errors.iter().filter_map(ConfigError::subject).any(|reported| is_within(reported, key))
            });
            if !is_removed {
                errors.push(complaint);
            }
            if errors.len() == MAX_ERRORS {
                return Self { file: None, errors, readable };
            }
            let statement = error.span().and_then(|span| locator.statement(span.start));
            let Some(statement) = statement.filter(|range| !readable[range.clone()].trim().is_empty()) else {
                return Self { file: None, errors, readable };
            };
            blank(&mut readable, statement);
        }
    }
}

/// Returns true if a key is another key or is contained in it.
pub(super) fn is_within(key: &str, other: &str) -> bool {
    key.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Replaces a range of lines by spaces.
fn blank(text: &mut String, range: Range<usize>) {
    let spaces: String = text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(range, &spaces);
}
