//! The configuration file: valid files and errors.

mod errors;
mod reading;
mod schema;
mod sync;

use std::path::PathBuf;

use customer_gateway::config::{Config, ConfigErrors};
use tempfile::TempDir;

/// A variable that is always set. Tests cannot set variables, because they
/// share their environment.
const VARIABLE: &str = "PATH";

/// A temporary directory with a secret, for a configuration file.
struct ConfigDir(TempDir);

impl ConfigDir {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("secret"), "s3cr3t-of-a-file\n").unwrap();
        std::fs::write(directory.path().join("empty"), "\n").unwrap();
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn parse(&self, text: &str) -> Result<Config, ConfigErrors> {
        Config::parse(text, &self.path("gateway.toml"))
    }

    /// Returns the error of a file, without the directory.
    fn error_for(&self, text: &str) -> String {
        let error = self.parse(text).expect_err("the file was accepted");
        error.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Returns a minimal file: a connection of each vendor kind.
fn minimal() -> String {
    [("affiliates", "tolt", "program_id"), ("tax", "corporation", "corporation_id")]
        .map(|(name, vendor, account)| {
            format!(
                "[[connections]]\nname = \"{name}\"\nvendor = \"{vendor}\"\ncredential = {{ file = \"secret\" }}\n{account} = \"x\"\n"
            )
        })
        .concat()
}
