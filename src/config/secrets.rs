//! Resolution of secrets from environment variables and files.

use crate::files::{FileError, FileRead};

use super::{ConfigError, error::Fault, file::Secret, reader::Reader};

/// Text that is valid for every kind of secret.
const PLACEHOLDER: &str = "redis://placeholder";

impl Reader<'_> {
    /// Resolves a secret. The value is never empty.
    pub(super) fn secret(&self, at: &str, secret: &Secret) -> Result<String, ConfigError> {
        if !self.resolves_secrets {
            return Ok(PLACEHOLDER.to_owned());
        }
        match secret {
            Secret::Env(name) => std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
                // A text that is not a variable name may be the secret itself.
                let is_name = name.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_');
                let variable =
                    if is_name { format!("environment variable {name}") } else { "named environment variable".into() };
                let fault =
                    Fault::new(format!("the {variable} is not set")).fix("set the variable, or write { file = \"…\" }");
                self.error(at, fault)
            }),
            Secret::File(path) => {
                let FileRead { path, contents } = self.read_file(path);
                let text = contents.and_then(|bytes| String::from_utf8(bytes).map_err(|_| FileError::NotText));
                let text = text.map_err(|error| {
                    let fault = Fault::new(format!("the file {} cannot be read: {error}", path.display()))
                        .fix("write the path of a file that contains only the secret");
                    self.error(at, fault)
                })?;
                let secret = text.trim_end_matches(['\r', '\n']);
                if secret.is_empty() {
                    let fault = Fault::new(format!("the file {} is empty", path.display()))
                        .fix("write only the secret into the file");
                    return Err(self.error(at, fault));
                }
                Ok(secret.to_owned())
            }
        }
    }
}
