//! What is wrong with a configuration: file, line, key, and what to write.

use std::{fmt, io, ops::Range, path::Path};

use toml::de::{DeTable, DeValue};

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    path: String,
    line: Option<usize>,
    key: Option<String>,
    fault: Fault,
}

/// A fault and its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    what: String,
    fix: Option<String>,
}

impl Fault {
    /// Says what is wrong.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), fix: None }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }
}

impl ConfigError {
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let fault = Fault::new(format!("cannot be read: {error}"))
            .fix("name a file with --config, or copy gateway.example.toml");
        Self { path: path.display().to_string(), line: None, key: None, fault }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {key}")?;
        }
        write!(f, ": {}", self.fault.what)?;
        match &self.fault.fix {
            Some(fix) => write!(f, "; {fix}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Finds the lines of keys.
pub(super) struct Locator<'t> {
    text: &'t str,
    path: String,
}

impl<'t> Locator<'t> {
    pub(super) fn new(text: &'t str, path: &Path) -> Self {
        Self { text, path: path.display().to_string() }
    }

    /// A fault at a key, written as `connections.0.name`; where the key is not
    /// in the file, at what stands around it.
    pub(super) fn fault(&self, key: &str, fault: Fault) -> ConfigError {
        let line = self.span(key).map(|span| self.line(span.start));
        ConfigError { path: self.path.clone(), line, key: Some(key.to_owned()), fault }
    }

    /// A fault that the parser found.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let line = error.span().map(|span| self.line(span.start));
        let key = error.span().and_then(|span| self.key_at(span.start));
        ConfigError { path: self.path.clone(), line, key, fault: Fault::new(without_text(error.message())) }
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
    }

    /// The key that an offset is about: the innermost that stands there, or
    /// whose value does.
    fn key_at(&self, offset: usize) -> Option<String> {
        let document = DeTable::parse(self.text).ok()?;
        innermost(&DeValue::Table(document.into_inner()), offset)
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

/// serde's message without the text that it found in place of something else:
/// that may be a secret in a wrong place, and the message goes to the log.
fn without_text(message: &str) -> String {
    match (message.split_once(": string \""), message.rsplit_once(", expected ")) {
        (Some((what, _)), Some((_, expected))) => format!("{what}: text, expected {expected}"),
        _ => message.to_owned(),
    }
}

/// Looks everywhere, since the span of a `[section]` is that of its header.
fn innermost(value: &DeValue<'_>, offset: usize) -> Option<String> {
    let found = |part: String, is_here: bool, inner: &DeValue<'_>| match innermost(inner, offset) {
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
