//! `customer-gateway key`: generates a caller's key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use serde_json::json;

use super::print_line;

#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    /// Print one JSON object with `key` and `key_digest`, for scripts.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &KeyArgs) -> anyhow::Result<()> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let key = format!("cgk_{}", URL_SAFE_NO_PAD.encode(secret));
    let digest = format!("blake3:{}", blake3::hash(key.as_bytes()).to_hex());
    if args.json {
        return print_line(json!({"key": key, "key_digest": digest}));
    }
    print_line(format_args!("key        {key}\nkey_digest {digest}"))?;
    print_line("\nGive the key to the caller; it cannot be shown again. Put the digest into gateway.toml:\n")?;
    print_line(format_args!("[[callers]]\nname = \"…\"\nkey_digest = \"{digest}\"\nconnections = [\"…\"]"))
}
