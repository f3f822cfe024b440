//! Lines and keys of errors in a TOML file.

use std::{ops::Range, path::Path};

use toml::de::{DeTable, DeValue};

use super::{ConfigError, error::Fault};

/// End of serde's message for a value that is not a `NonZeroU32`.
const NONZERO: &str = ", expected a nonzero u32";

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
        ConfigError::new(self.path, line, Some(self.named(key)), fault).about(Some(key.to_owned()))
    }

    /// Creates the error for a missing key of a section.
    pub(super) fn missing(&self, section: &str, name: &str) -> ConfigError {
        let fault = Fault::new(format!("missing field `{name}`"));
        self.error(section, fault).about(Some(format!("{section}.{name}")))
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
                let is_zero = error.message().contains("integer `0`");
                Fault::new(if is_zero { "the number is zero" } else { "the value is not a positive whole number" })
                    .fix("write a whole number of at least 1, or remove the key")
            }
            _ => Fault::new(without_value(error.message())),
        };
        ConfigError::new(self.path, line, key.as_deref().map(|key| self.named(key)), fault).about(key)
    }

    /// Returns the statement at an offset: a key with its value, or a section with all
    /// its keys.
    pub(super) fn statement(&self, offset: usize) -> Option<Range<usize>> {
        let document = DeTable::parse(self.text).ok()?;
        let (key, value) = outermost_statement(self.text, &document.into_inner(), offset)?;
        if !self.is_header(value.start) {
            return Some(key.start..value.end);
        }
        // The statements of a section reach to the next section that is not its own.
        let header = self.text[value.clone()].trim_matches(['[', ']', ' ']).to_owned();
        let is_other = |line: &&str| {
            let name = line.trim().strip_prefix('[').map(|rest| rest.trim_start_matches('['));
            name.is_some_and(|name| !name.trim_start().starts_with(&format!("{header}.")))
        };
        let start = self.line_start(value.start);
        let first_line_end = self.text[start..].find('\n').map_or(self.text.len(), |length| start + length + 1);
        let mut end = first_line_end;
        for line in self.text[first_line_end..].split_inclusive('\n') {
            if is_other(&line) {
                break;
            }
            end += line.len();
        }
        Some(start..end)
    }

    /// Replaces the index of a connection or a caller by its name, if it has one.
    fn named(&self, key: &str) -> String {
        let mut parts = key.splitn(3, '.');
        let (Some(section @ ("connections" | "callers")), Some(index)) = (parts.next(), parts.next()) else {
            return key.to_owned();
        };
        let name = self.span(&format!("{section}.{index}.name")).map(|span| &self.text[span]);
        let name = name.and_then(|name| name.strip_prefix('"')?.strip_suffix('"')).filter(|name| is_name(name));
        let rest = parts.next().map(|rest| format!(".{rest}")).unwrap_or_default();
        format!("{section}.{}{rest}", name.unwrap_or(index))
    }

    fn is_header(&self, offset: usize) -> bool {
        let start = self.line_start(offset);
        self.text[start..].trim_start().starts_with('[') && self.text[start..offset].trim_matches(['[', ' ']).is_empty()
    }

    fn line_start(&self, offset: usize) -> usize {
        self.text[..offset].rfind('\n').map_or(0, |end| end + 1)
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

/// Returns the key and the value of the outermost statement at an offset.
fn outermost_statement(text: &str, table: &DeTable<'_>, offset: usize) -> Option<(Range<usize>, Range<usize>)> {
    let starts_line = |span: &Range<usize>| {
        let line = text[..span.start].rfind('\n').map_or(0, |end| end + 1);
        text[line..span.start].trim().is_empty()
    };
    for (key, value) in table {
        let is_here = key.span().contains(&offset) || value.span().contains(&offset);
        if is_here && starts_line(&key.span()) {
            return Some((key.span(), value.span()));
        }
        let inner = match value.get_ref() {
            DeValue::Table(table) => outermost_statement(text, table, offset),
            DeValue::Array(array) => array.iter().find_map(|element| match element.get_ref() {
                DeValue::Table(table) => outermost_statement(text, table, offset)
                    .or_else(|| element.span().contains(&offset).then(|| (element.span(), element.span()))),
                _ => None,
            }),
            _ => None,
        };
        if let Some(found) = inner.or_else(|| is_here.then(|| (key.span(), value.span()))) {
            return Some(found);
        }
    }
    None
}

/// Returns true for a text that is a name rather than a misplaced secret.
fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
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
