//! Options of the sandbox.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Options of a [`Sandbox`](super::Sandbox).
#[derive(Clone, Debug)]
pub struct Options {
    /// Number of Tolt customers.
    pub tolt_customers: usize,
    /// Number of Tolt transactions; zero if there are no Tolt customers.
    pub tolt_transactions: usize,
    /// Number of customers of the corporation vendor.
    pub corporation_customers: usize,
    /// Minimum duration of every call.
    pub latency: Duration,
    /// Share of calls, 0 to 1, that fail with a random status of 429, 500, 502 and 503.
    pub error_rate: f64,
    /// Treatment of Tolt's parameter `search`.
    pub tolt_search: ToltSearch,
    /// Response envelope of the corporation vendor.
    pub envelope: Envelope,
    /// Enforces the vendors' rate limits if true.
    pub enforce_rate_limits: bool,
    /// Random changes per minute in each list of each vendor: inserts, updates and deletions in turn.
    /// The rows do not change if zero.
    pub changes_per_minute: u32,
    /// Listen address of Tolt.
    pub tolt_addr: SocketAddr,
    /// Listen address of the corporation vendor.
    pub corporation_addr: SocketAddr,
    /// Seed of the generated data. The same seed generates the same data.
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
            tolt_search: ToltSearch::default(),
            envelope: Envelope::default(),
            enforce_rate_limits: true,
            changes_per_minute: 0,
            tolt_addr: any_port,
            corporation_addr: any_port,
            seed: 1,
        }
    }
}

/// Treatment of `search`, a parameter of Tolt's list of customers that only a later copy of the page
/// has (FACTS).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToltSearch {
    /// Customers whose email address contains the text, without regard to case.
    #[default]
    Accept,
    /// All customers.
    Ignore,
    /// 400, as for any parameter that the page does not list.
    Reject,
}

/// Response envelope of the corporation vendor. The vendor's examples and its schema differ (FACTS).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Envelope {
    /// `{"data": …, "message": …}`, as in the vendor's generated schema.
    #[default]
    Wrapped,
    /// Object without an envelope, as in the vendor's examples.
    Flat,
}
