//! Texts that the sandbox prints at its start.

use std::{fmt::Display, net::SocketAddr};

use crate::{cli::print_line, sandbox::Sandbox};

use super::MAX_VENDOR_CALLS;

/// Prints the greeting: requests to try, and the addresses of the gateway and of
/// the vendors.
pub(super) fn print(listen: SocketAddr, sandbox: &Sandbox, key: Option<&str>) -> anyhow::Result<()> {
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    let curl = match key {
        Some(_) => "curl -H 'Authorization: Bearer <key>'",
        None => "curl",
    };
    print_line(format_args!(
        "The gateway serves two simulated vendors on http://{listen}. Try:\n\n  \
         {curl} 'http://{listen}/customers?connection=affiliates&status=active&limit=2'\n  \
         {curl} 'http://{listen}/customers?connection=tax&search=acme&expand=shipping_address'\n  \
         {curl} 'http://{listen}/transactions?connection=affiliates&order=asc&limit=2'\n\n\
         API reference: http://{listen}/docs. OpenAPI document: http://{listen}/openapi.json.\n\
         Capabilities of each connection: http://{listen}/connections.\n\n\
         Simulated Tolt: {}, credential {}, program {}\n\
         Simulated corporation vendor: {}, credential {}, corporation {}\n\
         `sandbox --print-config` prints a gateway.toml for these vendors.\n\n\
         Documentation: README.md and docs/. Stop with Ctrl-C.",
        tolt.base_url(),
        tolt.credential(),
        tolt.program_id(),
        corporation.base_url(),
        corporation.credential(),
        corporation.corporation_id(),
    ))
}

/// Prints a configuration for a gateway of the reader's own. It takes the secrets
/// from the environment, because a configuration contains no secrets.
pub(super) fn print_config(listen: SocketAddr, sandbox: &Sandbox) -> anyhow::Result<()> {
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    // The sandbox has a gateway of its own at `listen`.
    let own = SocketAddr::new(listen.ip(), listen.port().checked_add(1).unwrap_or(8081));
    print_line(format_args!(
        "# Configuration for the simulated vendors of `customer-gateway sandbox`, which\n\
         # serve until the sandbox stops. Set these variables before `check` and `serve`:\n\
         #   export SANDBOX_TOLT_KEY={}\n\
         #   export SANDBOX_CORPORATION_TOKEN={}\n\n\
         [server]\n\
         listen = {}\n\n\
         [paging]\n\
         max_vendor_calls = {MAX_VENDOR_CALLS}\n\n\
         [[connections]]\n\
         name = \"affiliates\"\n\
         vendor = \"tolt\"\n\
         base_url = {}\n\
         credential = {{ env = \"SANDBOX_TOLT_KEY\" }}\n\
         program_id = {}\n\n\
         [[connections]]\n\
         name = \"tax\"\n\
         vendor = \"corporation\"\n\
         base_url = {}\n\
         credential = {{ env = \"SANDBOX_CORPORATION_TOKEN\" }}\n\
         corporation_id = {}",
        tolt.credential(),
        corporation.credential(),
        quoted(own),
        quoted(tolt.base_url()),
        quoted(tolt.program_id()),
        quoted(corporation.base_url()),
        quoted(corporation.corporation_id()),
    ))
}

/// Returns a TOML string.
fn quoted(value: impl Display) -> toml::Value {
    toml::Value::String(value.to_string())
}
