//! `customer-gateway key`: generates a caller's key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::print_line;

pub(super) fn run() -> anyhow::Result<()> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let key = format!("cgk_{}", URL_SAFE_NO_PAD.encode(secret));
    let digest = blake3::hash(key.as_bytes()).to_hex();
    print_line(format_args!("key        {key}\nkey_digest blake3:{digest}"))?;
    print_line("\nGive the key to the caller; it cannot be shown again. Put the digest into gateway.toml:\n")?;
    print_line(format_args!("[[callers]]\nname = \"…\"\nkey_digest = \"blake3:{digest}\"\nconnections = [\"…\"]"))
}
