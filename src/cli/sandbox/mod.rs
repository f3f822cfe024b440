//! `customer-gateway sandbox`: a gateway in front of two simulated vendors.

mod greeting;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use tokio::net::TcpListener;

use crate::{
    app::App,
    callers::{Caller, CallerKey},
    clock::SystemClock,
    config::{Cache, Config, Connection, Paging, Server},
    directory::Policies,
    domain::field_policy::FieldPolicy,
    identity::Claims,
    sandbox::{Envelope, Options, Sandbox, ToltSearch},
    server::{self, Live},
    upstream::Credential,
    vendors::registry,
};

use super::serve::stopped;

/// Enough calls to search all customers of the corporation vendor at the default number.
const MAX_VENDOR_CALLS: u32 = 50;

#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// Port of the gateway; 0 selects a free port.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of the simulated Tolt; 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    tolt_port: u16,
    /// Port of the simulated corporation vendor; 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    corporation_port: u16,
    /// Number of Tolt customers.
    #[arg(long, default_value_t = Options::default().tolt_customers)]
    tolt_customers: usize,
    /// Number of Tolt transactions.
    #[arg(long, default_value_t = Options::default().tolt_transactions)]
    tolt_transactions: usize,
    /// Number of customers of the corporation vendor.
    #[arg(long, default_value_t = Options::default().corporation_customers)]
    corporation_customers: usize,
    /// Delay of every vendor response, such as `50ms`.
    #[arg(long, value_parser = parse_duration, default_value = "0s")]
    latency: Duration,
    /// Share of vendor calls that fail, from 0 to 1.
    #[arg(long, default_value_t = 0.0, value_parser = parse_share)]
    error_rate: f64,
    /// Treatment of Tolt's parameter `search`.
    #[arg(long, value_enum, default_value_t = ToltSearchArg::Accept)]
    tolt_search: ToltSearchArg,
    /// Response envelope of the corporation vendor.
    #[arg(long, value_enum, default_value_t = EnvelopeArg::Wrapped)]
    envelope: EnvelopeArg,
    /// API key that callers must send; requests need no key if omitted.
    #[arg(long)]
    key: Option<String>,
    /// Print a gateway.toml for the simulated vendors instead of the greeting. The
    /// vendors serve while this command runs.
    #[arg(long)]
    print_config: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EnvelopeArg {
    /// Objects under `data`, as in the vendor's schema.
    Wrapped,
    /// Objects without an envelope, as in the vendor's examples.
    Flat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ToltSearchArg {
    /// Customers whose email address contains the text.
    Accept,
    /// All customers.
    Ignore,
    /// 400 for a request with the parameter.
    Reject,
}

pub(super) async fn run(args: SandboxArgs) -> anyhow::Result<()> {
    server::raise_descriptor_limit();
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listen = loopback(args.port);
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; choose another port with --port"))?;
    let listen = listener.local_addr()?;
    let sandbox = Sandbox::start(Options {
        tolt_customers: args.tolt_customers,
        tolt_transactions: args.tolt_transactions,
        corporation_customers: args.corporation_customers,
        latency: args.latency,
        error_rate: args.error_rate,
        tolt_search: match args.tolt_search {
            ToltSearchArg::Accept => ToltSearch::Accept,
            ToltSearchArg::Ignore => ToltSearch::Ignore,
            ToltSearchArg::Reject => ToltSearch::Reject,
        },
        envelope: match args.envelope {
            EnvelopeArg::Wrapped => Envelope::Wrapped,
            EnvelopeArg::Flat => Envelope::Flat,
        },
        tolt_addr: loopback(args.tolt_port),
        corporation_addr: loopback(args.corporation_port),
        ..Options::default()
    })
    .await
    .context("cannot listen for a simulated vendor; choose other ports with --tolt-port and --corporation-port")?;

    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    let connections = vec![
        connection("affiliates", "tolt", &tolt.base_url(), tolt.credential(), tolt.program_id())?,
        connection(
            "tax",
            "corporation",
            &corporation.base_url(),
            corporation.credential(),
            corporation.corporation_id(),
        )?,
    ];
    let config = Config {
        server: Server { listen, ..Server::default() },
        paging: Paging { max_vendor_calls: MAX_VENDOR_CALLS, ..Paging::default() },
        cache: Cache::default(),
        shared: None,
        telemetry: None,
        callers: args.key.iter().map(|key| caller(key, &connections)).collect(),
        connections,
        files: Vec::new(),
        identity: None,
    };
    let app = App::new(config, &SystemClock::shared())?;
    if args.print_config {
        greeting::print_config(listen, &sandbox)
    } else {
        greeting::print(listen, &sandbox, args.key.as_deref())
    }?;
    server::serve(listener, Live::new(app.served()), app.readiness(), stopped(1)?).await;
    Ok(())
}

fn connection(name: &str, vendor: &str, base_url: &str, secret: &str, account_id: &str) -> anyhow::Result<Connection> {
    let kind = registry::by_name(vendor).with_context(|| format!("unknown vendor {vendor}"))?;
    Ok(Connection {
        name: name.parse()?,
        kind,
        base_url: base_url.parse()?,
        credential: Credential::new(secret.into())?,
        account_id: account_id.to_owned(),
        rate_limit: Connection::default_rate_limit(kind),
        timeout: Connection::DEFAULT_TIMEOUT,
        policies: Policies::default(),
    })
}

/// Builds a caller with all permissions.
fn caller(key: &str, connections: &[Connection]) -> Caller {
    Caller {
        name: "sandbox".into(),
        keys: vec![CallerKey::permanent(blake3::hash(key.as_bytes()))],
        claims: Claims::default(),
        connections: connections.iter().map(|connection| connection.name.clone()).collect(),
        fields: FieldPolicy::default(),
        may_see_raw: true,
        may_purge: true,
        quota: None,
        share: None,
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    duration.ok_or_else(|| "not a duration; write a duration such as 50ms or 2s".to_owned())
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "not a share; write a number from 0 to 1".to_owned())
}
