//! `customer-gateway sandbox`: a gateway in front of two simulated vendors.

mod greeting;
mod redis;
mod replicas;
mod sync;

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use anyhow::Context;
use clap::{Args, ValueEnum};
use futures_util::future::join_all;
use jiff::SignedDuration;

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
use greeting::Greeting;
use replicas::{SharedServer, listen};

/// Enough calls to search all customers of the corporation vendor at the default number.
const MAX_VENDOR_CALLS: u32 = 50;

/// Largest number of replicas.
const MAX_REPLICAS: u32 = 32;

/// Largest number of changes per minute.
const MAX_CHANGES: i64 = 60_000;

#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// Port of the gateway; 0 selects a free port. Further replicas listen on the
    /// next ports.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Number of gateways that share state on a Redis server. The sandbox starts the
    /// server, so redis-server or valkey-server must be installed.
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = parse_replicas)]
    replicas: NonZeroU32,
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
    /// Disable the vendors' rate limits. The sandbox's own gateway keeps its limits.
    #[arg(long)]
    no_rate_limits: bool,
    /// Treatment of Tolt's parameter `search`.
    #[arg(long, value_enum, default_value_t = ToltSearchArg::Accept)]
    tolt_search: ToltSearchArg,
    /// Response envelope of the corporation vendor.
    #[arg(long, value_enum, default_value_t = EnvelopeArg::Wrapped)]
    envelope: EnvelopeArg,
    /// Random changes per minute in each list of the vendors: a new row, a changed row
    /// and a deleted row in turn. 0 keeps the rows as generated.
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(..=MAX_CHANGES))]
    changes: u32,
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
    let listeners = listen(loopback(args.port), args.replicas).await?;
    let shared = if args.replicas.get() > 1 { Some(SharedServer::start(args.replicas).await?) } else { None };
    let sandbox = Sandbox::start(Options {
        tolt_customers: args.tolt_customers,
        tolt_transactions: args.tolt_transactions,
        corporation_customers: args.corporation_customers,
        latency: args.latency,
        error_rate: args.error_rate,
        enforce_rate_limits: !args.no_rate_limits,
        tolt_search: match args.tolt_search {
            ToltSearchArg::Accept => ToltSearch::Accept,
            ToltSearchArg::Ignore => ToltSearch::Ignore,
            ToltSearchArg::Reject => ToltSearch::Reject,
        },
        envelope: match args.envelope {
            EnvelopeArg::Wrapped => Envelope::Wrapped,
            EnvelopeArg::Flat => Envelope::Flat,
        },
        changes_per_minute: args.changes,
        tolt_addr: loopback(args.tolt_port),
        corporation_addr: loopback(args.corporation_port),
        ..Options::default()
    })
    .await
    .context("cannot listen for a simulated vendor; choose other ports with --tolt-port and --corporation-port")?;

    let clock = SystemClock::shared();
    let mut apps = Vec::new();
    let mut addresses = Vec::new();
    for listener in &listeners {
        let listen = listener.local_addr()?;
        addresses.push(listen);
        apps.push(App::new(config(listen, &sandbox, args.key.as_deref(), shared.as_ref())?, &clock)?);
    }
    let greeting =
        Greeting { addresses: &addresses, sandbox: &sandbox, shared: shared.as_ref(), changes: args.changes };
    if args.print_config { greeting.print_config() } else { greeting.print(args.key.as_deref()) }?;
    let mut serving = Vec::new();
    for (listener, app) in listeners.into_iter().zip(&apps) {
        serving.push(server::serve(listener, Live::new(app.served()), app.readiness(), stopped(1)?));
    }
    join_all(serving).await;
    Ok(())
}

/// Builds the configuration of a gateway at an address.
fn config(
    listen: SocketAddr,
    sandbox: &Sandbox,
    key: Option<&str>,
    shared: Option<&SharedServer>,
) -> anyhow::Result<Config> {
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
    let cursor_key = shared.map(SharedServer::cursor_key);
    Ok(Config {
        server: Server { listen, ..Server::default() },
        paging: Paging { cursor_key, max_vendor_calls: MAX_VENDOR_CALLS, ..Paging::default() },
        cache: Cache::default(),
        shared: shared.map(SharedServer::settings).transpose()?,
        telemetry: None,
        callers: key.iter().map(|key| caller(key, &connections)).collect(),
        connections,
        files: Vec::new(),
        identity: None,
    })
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
        sync: Some(sync::settings(kind)),
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

fn parse_replicas(text: &str) -> Result<NonZeroU32, String> {
    let replicas = text.parse().ok().filter(|replicas: &NonZeroU32| replicas.get() <= MAX_REPLICAS);
    replicas.ok_or_else(|| format!("not a number of replicas; write a number from 1 to {MAX_REPLICAS}"))
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "not a share; write a number from 0 to 1".to_owned())
}
