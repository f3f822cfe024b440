//! Configuration errors: file, line, key, failure and remedy.

use std::{error::Error, fmt, path::Path};

use crate::files::FileError;

/// Reasons why a configuration is rejected, in the order of their lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

/// Reason why a configuration is rejected. No message contains a value of the file
/// other than names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    path: Box<str>,
    line: Option<usize>,
    key: Option<String>,
    /// Key that the error concerns, by indexes. A missing key has no line of its own.
    subject: Option<Box<str>>,
    fault: Fault,
}

/// A failure and its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    failure: String,
    remedy: Option<String>,
}

impl Fault {
    /// Creates a fault without a remedy.
    pub(super) fn new(failure: impl Into<String>) -> Self {
        Self { failure: failure.into(), remedy: None }
    }

    /// Adds the remedy.
    pub(super) fn fix(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

impl ConfigError {
    pub(super) fn new(path: &Path, line: Option<usize>, key: Option<String>, fault: Fault) -> Self {
        Self { path: path.display().to_string().into(), line, key, subject: None, fault }
    }

    /// Creates the error for a configuration file that cannot be read.
    pub(super) fn unreadable(path: &Path, error: &FileError) -> Self {
        let fault = Fault::new(format!("cannot be read: {error}"))
            .fix("pass another path with --config, or copy gateway.example.toml");
        Self::new(path, None, None, fault)
    }
}

impl ConfigErrors {
    pub(super) fn new(mut errors: Vec<ConfigError>) -> Self {
        errors.sort_by_key(|error| error.line);
        // Two sections may use one key.
        errors.dedup();
        Self(errors)
    }
}

/// Writes one error per line.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl Error for ConfigErrors {}

impl ConfigError {
    /// Sets the key that the error concerns, by indexes.
    pub(super) fn about(self, subject: Option<String>) -> Self {
        Self { subject: subject.map(Into::into), ..self }
    }

    /// Returns the key that the error concerns, by indexes.
    pub(super) fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
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
        write!(f, ": {}", self.fault.failure)?;
        match &self.fault.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl Error for ConfigError {}
