//! `customer-gateway sandbox`: both vendors simulated, and the gateway in
//! front of them.

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
    clock::SystemClock,
    config::{Cache, Caller, CallerKey, Config, Connection, Paging, Server},
    directory::Policies,
    identity::Claims,
    sandbox::{Envelope, Options, Sandbox},
    server::{self, Live},
    upstream::Credential,
    vendors::registry,
};

use super::{print_line, serve::stopped};

#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// The gateway's port.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The simulated Tolt's port; any free one if 0.
    #[arg(long, default_value_t = 0)]
    tolt_port: u16,
    /// The simulated corporation vendor's port; any free one if 0.
    #[arg(long, default_value_t = 0)]
    corporation_port: u16,
    /// How many customers Tolt holds.
    #[arg(long, default_value_t = Options::default().tolt_customers)]
    tolt_customers: usize,
    /// How many transactions Tolt holds.
    #[arg(long, default_value_t = Options::default().tolt_transactions)]
    tolt_transactions: usize,
    /// How many customers the corporation vendor holds.
    #[arg(long, default_value_t = Options::default().corporation_customers)]
    corporation_customers: usize,
    /// How long the vendors take to answer, such as `50ms`.
    #[arg(long, value_parser = span, default_value = "0s")]
    latency: Duration,
    /// The share of vendor calls that fail, from 0 to 1.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    error_rate: f64,
    /// How the corporation vendor wraps its answers.
    #[arg(long, value_enum, default_value_t = EnvelopeArg::Wrapped)]
    envelope: EnvelopeArg,
    /// The key that callers must show; without one, none is asked for.
    #[arg(long)]
    key: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EnvelopeArg {
    /// In `data`, as its schema says.
    Wrapped,
    /// Bare, as its examples show.
    Flat,
}

pub(super) async fn run(args: SandboxArgs) -> anyhow::Result<()> {
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
        envelope: match args.envelope {
            EnvelopeArg::Wrapped => Envelope::Wrapped,
            EnvelopeArg::Flat => Envelope::Flat,
        },
        tolt_addr: loopback(args.tolt_port),
        corporation_addr: loopback(args.corporation_port),
        ..Options::default()
    })
    .await
    .context("a simulated vendor cannot listen; choose other ports with --tolt-port and --corporation-port")?;

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
        // Enough to order all that the corporation vendor holds by default.
        paging: Paging { max_vendor_calls: 50, ..Paging::default() },
        cache: Cache::default(),
        telemetry: None,
        callers: args.key.iter().map(|key| caller(key, &connections)).collect(),
        connections,
        files: Vec::new(),
        identity: None,
    };
    let app = App::new(config, &SystemClock::shared())?;
    greet(listen)?;
    server::serve(listener, Live::new(app.served()), app.readiness(), stopped(1)?).await;
    Ok(())
}

fn connection(name: &str, vendor: &str, base_url: &str, secret: &str, account_id: &str) -> anyhow::Result<Connection> {
    let kind = registry::by_name(vendor).with_context(|| format!("there is no vendor {vendor}"))?;
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

/// A caller who may do everything.
fn caller(key: &str, connections: &[Connection]) -> Caller {
    Caller {
        name: "sandbox".into(),
        keys: vec![CallerKey::lasting(blake3::hash(key.as_bytes()))],
        claims: Claims::default(),
        connections: connections.iter().map(|connection| connection.name.clone()).collect(),
        may_see_raw: true,
        may_purge: true,
        quota: None,
        share: None,
    }
}

fn greet(listen: SocketAddr) -> anyhow::Result<()> {
    print_line(format_args!(
        "The gateway serves two simulated vendors on http://{listen}. Try:\n\n  \
         curl 'http://{listen}/customers?connection=affiliates&status=active&limit=2'\n  \
         curl 'http://{listen}/customers?connection=tax&search=acme&expand=shipping_address'\n  \
         curl 'http://{listen}/transactions?connection=affiliates&order=asc&limit=2'\n\n\
         What it takes: http://{listen}/openapi.json; what each connection supports: http://{listen}/connections.\n\
         The documentation is in README.md and docs/. Stop with Ctrl-C."
    ))
}

fn span(text: &str) -> Result<Duration, String> {
    let span = text.parse::<SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    span.ok_or_else(|| "write a length of time such as 50ms or 2s".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a number from 0 to 1".to_owned())
}
