//! `customer-gateway check`: validates a configuration.

use anyhow::bail;
use clap::Args;

use crate::{
    app::App,
    clock::{SharedClock, SystemClock},
    config::Config,
    directory::{Directory, PageRequest},
    domain::{
        connection::ConnectionName,
        filter::Filter,
        query::{ListQuery, Resource, Shape},
    },
    http_client::Clients,
    identity::{KeySource, Settings},
    shared,
};

use super::{ConfigFile, print_line};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// Also fetch the first page of each connection (one vendor call each) and the
    /// identity provider's keys, and check the Redis servers of [shared].
    #[arg(long)]
    live: bool,
}

pub(super) async fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let path = &args.file.config;
    let mut config = Config::load(path)?;
    let names: Vec<ConnectionName> = config.connections.iter().map(|it| it.name.clone()).collect();
    for connection in &config.connections {
        print_line(format_args!("{}: {} at {}", connection.name, connection.kind.name, connection.base_url))?;
    }
    let lacks_cursor_key = config.paging.cursor_key.is_none();
    // The app would start to fetch the identity provider's keys.
    let identity = config.identity.take();
    // A live check counts its vendor calls across replicas. Without calls, the app
    // would only connect.
    let shared = if args.live { config.shared.clone() } else { config.shared.take() };
    let clock = SystemClock::shared();
    let app = App::new(config, &clock)?;
    print_line(format_args!("{} is valid", path.display()))?;
    if lacks_cursor_key {
        print_line(
            "paging.cursor_key is missing: cursors will not survive a restart or work on other replicas; \
             write cursor_key = { env = \"VARIABLE\" } or { file = \"path\" }",
        )?;
    }
    if !args.live {
        return Ok(());
    }
    let result = check_live(app.directory(), &names, identity.as_ref(), shared.as_ref(), &clock).await;
    if let Some(replicated) = app.replicated() {
        replicated.close().await;
    }
    result
}

async fn check_live(
    directory: &Directory,
    names: &[ConnectionName],
    identity: Option<&Settings>,
    shared: Option<&shared::Settings>,
    clock: &SharedClock,
) -> anyhow::Result<()> {
    let has_servers = match shared {
        Some(settings) => check_servers(settings, clock).await?,
        None => true,
    };
    let mut failed = 0;
    for name in names {
        let result = check_connection(directory, name).await;
        failed += usize::from(result.is_err());
        print_line(format_args!("{name}: {}", result.unwrap_or_else(|error| error)))?;
    }
    let mut has_keys = true;
    if let Some(settings) = identity {
        let result = check_keys(settings).await;
        has_keys = result.is_ok();
        print_line(format_args!("identity: {}", result.unwrap_or_else(|error| error)))?;
    }
    if !has_servers {
        bail!("the Redis server cannot be used");
    }
    if failed > 0 {
        bail!("{failed} of {} connections failed", names.len());
    }
    if !has_keys {
        bail!("the identity provider's keys are unavailable");
    }
    Ok(())
}

/// Checks the servers of shared state. Returns false if one cannot be used.
async fn check_servers(settings: &shared::Settings, clock: &SharedClock) -> anyhow::Result<bool> {
    let mut is_usable = true;
    for shared::ServerReport { setting, result } in shared::check(settings, clock).await {
        match result {
            Ok(state) => {
                print_line(format_args!("{setting}: {state}"))?;
                for warning in &state.warnings {
                    print_line(format_args!("{setting}: warning: {warning}"))?;
                }
            }
            Err(fault) => {
                is_usable = false;
                print_line(format_args!("{setting}: {fault}"))?;
            }
        }
    }
    Ok(is_usable)
}

/// Fetches the first page of a connection. Returns the line to print.
async fn check_connection(directory: &Directory, name: &ConnectionName) -> Result<String, String> {
    let query =
        ListQuery { resource: Resource::Customers, filter: Filter::default(), order: None, shape: Shape::default() };
    let page = PageRequest::first(vec![name.clone()], 1);
    let page = directory.list(&query, &page).await.map_err(|error| error.to_string())?;
    Ok(page.total().map_or("ok".to_owned(), |total| format!("ok, {total} customers")))
}

/// Fetches an identity provider's keys. Returns the line to print.
async fn check_keys(settings: &Settings) -> Result<String, String> {
    let source = KeySource::new(&settings.jwks, &mut Clients::default()).map_err(|error| error.to_string())?;
    match source.read().await {
        Ok(keys) => Ok(format!("ok, {} keys", keys.len())),
        Err(error) => Err(error.to_string()),
    }
}
