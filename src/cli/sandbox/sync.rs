//! Synced lists of the sandbox's connections.

/// Switch of synced lists in the sandbox. Off until the gateway reads `[connections.sync]`.
const ENABLED: bool = false;

/// Section of each connection. Frequent walks show changes of the vendors soon.
const SECTION: &str = "\n\n[connections.sync]\nevery = \"1m\"";

/// Returns the lines that enable synced lists of the connection above them.
pub(super) fn section() -> &'static str {
    if ENABLED { SECTION } else { "" }
}
