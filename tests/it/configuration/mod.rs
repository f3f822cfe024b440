//! The configuration file: what is read of it, and what is said when it is
//! wrong.

mod errors;
mod reading;

use std::path::PathBuf;

use customer_gateway::config::{Config, ConfigError};
use tempfile::TempDir;

/// A variable that holds something without any test setting it, which no test
/// may: they share their environment.
const VARIABLE: &str = "PATH";

/// A directory to configure a gateway in, with a secret.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("secret"), "s3cr3t-of-a-file\n").unwrap();
        std::fs::write(directory.path().join("empty"), "\n").unwrap();
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn parse(&self, text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, &self.path("gateway.toml"))
    }

    /// What is said of a file, its directory left out.
    fn complaint(&self, text: &str) -> String {
        let error = self.parse(text).expect_err("it was accepted");
        error.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}
