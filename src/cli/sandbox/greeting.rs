//! Texts that the sandbox prints at its start.

use std::{fmt::Display, net::SocketAddr};

use url::Url;

use crate::{cli::print_line, sandbox::Sandbox};

use super::{
    MAX_VENDOR_CALLS,
    replicas::{PREFIX, SharedServer},
    sync,
};

/// Running sandbox, to be described.
pub(super) struct Greeting<'s> {
    /// Address of each gateway.
    pub(super) addresses: &'s [SocketAddr],
    pub(super) sandbox: &'s Sandbox,
    /// State of several replicas.
    pub(super) shared: Option<&'s SharedServer>,
    /// Changes per minute in each list of the vendors.
    pub(super) changes: u32,
}

impl Greeting<'_> {
    /// Prints requests to try, and the addresses of the gateways and of the vendors.
    pub(super) fn print(&self, key: Option<&str>) -> anyhow::Result<()> {
        let (tolt, corporation) = (self.sandbox.tolt(), self.sandbox.corporation());
        let curl = match key {
            Some(_) => "curl -H 'Authorization: Bearer <key>'",
            None => "curl",
        };
        // The requests go to the replicas in turn.
        let address = |index: usize| self.addresses[index % self.addresses.len()];
        let [first, second, third] = [0, 1, 2].map(address);
        print_line(format_args!(
            "{}. Try:\n\n  \
             {curl} 'http://{first}/customers?connection=affiliates&status=active&limit=2'\n  \
             {curl} 'http://{second}/customers?connection=tax&search=acme&expand=shipping_address'\n  \
             {curl} 'http://{third}/transactions?connection=affiliates&order=asc&limit=2'\n\n\
             {}\
             API reference: http://{first}/docs. OpenAPI document: http://{first}/openapi.json.\n\
             Capabilities of each connection: http://{first}/connections.\n\n\
             Simulated Tolt: {}, credential {}, program {}\n\
             Simulated corporation vendor: {}, credential {}, corporation {}\n\
             {}\n\
             With `--print-config`, the sandbox prints a gateway.toml for its vendors.\n\n\
             Documentation: README.md and docs/. Stop with Ctrl-C.",
            self.subject(),
            self.replicas(curl),
            tolt.base_url(),
            tolt.credential(),
            tolt.program_id(),
            corporation.base_url(),
            corporation.credential(),
            corporation.corporation_id(),
            self.changes(),
        ))
    }

    fn changes(&self) -> String {
        match self.changes {
            0 => "The rows of the vendors do not change.".to_owned(),
            1 => "A row of each list is inserted, changed or deleted once a minute; `--changes` sets how often."
                .to_owned(),
            changes => format!(
                "Rows of each list are inserted, changed or deleted {changes} times a minute; `--changes` sets how \
                 often."
            ),
        }
    }

    fn subject(&self) -> String {
        match self.addresses {
            [listen] => format!("The gateway serves two simulated vendors on http://{listen}"),
            addresses => {
                let urls: Vec<_> = addresses.iter().map(|address| format!("  http://{address}")).collect();
                format!(
                    "{} replicas of the gateway serve two simulated vendors:\n\n{}\n\nThey behave as one gateway",
                    addresses.len(),
                    urls.join("\n")
                )
            }
        }
    }

    /// Returns a paragraph about the replicas, with a request that shows their state.
    fn replicas(&self, curl: &str) -> String {
        let Some(shared) = self.shared else { return String::new() };
        let requests: Vec<_> =
            self.addresses.iter().map(|address| format!("  {curl} -i 'http://{address}/customers?limit=3'")).collect();
        format!(
            "A page that one replica has fetched is a `hit` of the others, or `collapsed` just after the fetch:\n\n{}\n\n\
             The replicas also share rate limits, quotas, purges and cursors, on {}.\n\n",
            requests.join("\n"),
            shared.url()
        )
    }

    /// Returns an address after those of the sandbox's gateways, and not of a vendor.
    fn free_address(&self) -> SocketAddr {
        let last = self.addresses[self.addresses.len() - 1];
        let (tolt, corporation) = (self.sandbox.tolt(), self.sandbox.corporation());
        let vendors = [tolt.base_url(), corporation.base_url()].map(|url| Url::parse(&url).ok()?.port());
        let port = (last.port()..=u16::MAX).skip(1).find(|port| !vendors.contains(&Some(*port)));
        SocketAddr::new(last.ip(), port.unwrap_or(8081))
    }

    /// Prints a configuration for a gateway of the reader's own, which joins the
    /// replicas if there are several. It takes the secrets from the environment, because
    /// a configuration contains no secrets.
    pub(super) fn print_config(&self) -> anyhow::Result<()> {
        let (tolt, corporation) = (self.sandbox.tolt(), self.sandbox.corporation());
        let own = self.free_address();
        let (variables, cursor_key, shared) = match self.shared {
            None => Default::default(),
            Some(shared) => (
                format!(
                    "#   export SANDBOX_REDIS_URL={}\n#   export SANDBOX_CURSOR_KEY={}\n",
                    shared.url(),
                    shared.secret()
                ),
                "cursor_key = { env = \"SANDBOX_CURSOR_KEY\" }\n",
                format!("[shared]\nurl = {{ env = \"SANDBOX_REDIS_URL\" }}\nprefix = {}\n\n", quoted(PREFIX)),
            ),
        };
        let sync = sync::SECTION;
        print_line(format_args!(
            "# Configuration for the simulated vendors of `customer-gateway sandbox`, which\n\
             # serve until the sandbox stops. Set these variables before `check` and `serve`:\n\
             #   export SANDBOX_TOLT_KEY={}\n\
             #   export SANDBOX_CORPORATION_TOKEN={}\n\
             {variables}\n\
             [server]\n\
             listen = {}\n\n\
             [paging]\n\
             {cursor_key}\
             max_vendor_calls = {MAX_VENDOR_CALLS}\n\n\
             {shared}\
             [[connections]]\n\
             name = \"affiliates\"\n\
             vendor = \"tolt\"\n\
             base_url = {}\n\
             credential = {{ env = \"SANDBOX_TOLT_KEY\" }}\n\
             program_id = {}{sync}\n\n\
             [[connections]]\n\
             name = \"tax\"\n\
             vendor = \"corporation\"\n\
             base_url = {}\n\
             credential = {{ env = \"SANDBOX_CORPORATION_TOKEN\" }}\n\
             corporation_id = {}{sync}",
            tolt.credential(),
            corporation.credential(),
            quoted(own),
            quoted(tolt.base_url()),
            quoted(tolt.program_id()),
            quoted(corporation.base_url()),
            quoted(corporation.corporation_id()),
        ))
    }
}

/// Returns a TOML string.
fn quoted(value: impl Display) -> toml::Value {
    toml::Value::String(value.to_string())
}
