//! The two vendors, simulated on loopback sockets, for a first run and for tests.
//!
//! It is written from the vendors' own pages and shares no code with the adapters, so that a
//! misreading shows as a refusal. It is stricter than the vendors are known to be: whatever their
//! pages do not list is answered with 400.
//!
//! It behaves, unless told to fail: it repeats no row, shows no other tenant's, and its totals are
//! right. Misshapen bodies are the business of the adapters' fixtures.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use customer_gateway::sandbox::{Fault, Options, Sandbox};
//!
//! let sandbox = Sandbox::start(Options { tolt_customers: 20, ..Options::default() }).await?;
//! sandbox.tolt().fail_next(1, Fault::Status(503));
//! assert!(sandbox.tolt().base_url().starts_with("http://127.0.0.1:"));
//! assert_eq!(sandbox.tolt().customers().len(), 20);
//! # Ok(())
//! # }
//! ```

pub mod corporation;
pub mod tolt;

mod fault;
mod field;
mod gate;
mod handle;
mod limit;
mod lock;
mod log;
mod names;
mod query;
mod random;
mod server;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

pub use self::{corporation::Corporation, fault::Fault, field::Field, handle::Handle, tolt::Tolt};

use self::{gate::Vendor, server::Server};

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many customers Tolt holds.
    pub tolt_customers: usize,
    /// How many transactions Tolt holds; none where it has no customers.
    pub tolt_transactions: usize,
    /// How many customers the corporation vendor holds.
    pub corporation_customers: usize,
    /// How long every call takes at least.
    pub latency: Duration,
    /// The share of calls, 0 to 1, answered with a random one of 429, 500, 502 and 503.
    pub error_rate: f64,
    /// How the corporation vendor wraps its bodies.
    pub envelope: Envelope,
    /// Whether the vendors refuse what exceeds their rate limits.
    pub enforce_rate_limits: bool,
    /// Where Tolt listens.
    pub tolt_addr: SocketAddr,
    /// Where the corporation vendor listens.
    pub corporation_addr: SocketAddr,
    /// The same seed makes the same data.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            tolt_customers: 10_000,
            tolt_transactions: 25_000,
            corporation_customers: 2_500,
            latency: Duration::ZERO,
            error_rate: 0.0,
            envelope: Envelope::default(),
            enforce_rate_limits: true,
            tolt_addr: any_port,
            corporation_addr: any_port,
            seed: 1,
        }
    }
}

/// How the corporation vendor wraps its bodies: its examples and its schema differ (FACTS).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Envelope {
    /// `{"data": …, "message": …}`, as its generated schema says.
    #[default]
    Wrapped,
    /// The object alone, as its examples show.
    Flat,
}

/// The rows that both vendors hold.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// Tolt's.
    pub tolt: tolt::Data,
    /// The corporation vendor's customers, in any order.
    pub corporation: Vec<corporation::Customer>,
}

impl Data {
    /// The id of the one customer that both vendors have, each its own (FACTS, case 28).
    pub const SHARED_ID: &str = "cust_shared_between_vendors";

    /// Makes up as many rows as the options say.
    #[must_use]
    pub fn generate(options: &Options) -> Self {
        Self {
            tolt: tolt::Data::generate(options.seed, options.tolt_customers, options.tolt_transactions),
            corporation: corporation::generate(options.seed, options.corporation_customers),
        }
    }
}

/// Both vendors, listening until this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    tolt: Tolt,
    corporation: Corporation,
    /// Held for their drop, which closes the listeners and every connection.
    _servers: [Server; 2],
}

impl Sandbox {
    /// Starts both vendors with made-up rows.
    pub async fn start(options: Options) -> io::Result<Self> {
        let data = Data::generate(&options);
        Self::start_with(options, data).await
    }

    /// Starts both vendors with the rows given.
    pub async fn start_with(options: Options, data: Data) -> io::Result<Self> {
        let tolt = tolt::Service::new(&options, data.tolt);
        let (tolt, tolt_server) = start_vendor(options.tolt_addr, tolt).await?;

        let corporation = corporation::Service::new(&options, data.corporation);
        let (corporation, corporation_server) = start_vendor(options.corporation_addr, corporation).await?;

        Ok(Self { tolt, corporation, _servers: [tolt_server, corporation_server] })
    }

    /// Tolt's controls.
    #[must_use]
    pub fn tolt(&self) -> &Tolt {
        &self.tolt
    }

    /// The corporation vendor's controls.
    #[must_use]
    pub fn corporation(&self) -> &Corporation {
        &self.corporation
    }
}

async fn start_vendor<S: Vendor>(address: SocketAddr, service: S) -> io::Result<(Handle<S>, Server)> {
    let service = Arc::new(service);
    let server = Server::start(address, Arc::clone(&service)).await?;
    Ok((Handle::new(server.address(), service), server))
}
