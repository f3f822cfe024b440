//! `customer-gateway check`.

use anyhow::bail;
use clap::Args;

use crate::{
    app::App,
    clock::SystemClock,
    config::Config,
    directory::{Directory, PageRequest},
    domain::{
        connection::ConnectionName,
        filter::Filter,
        query::{ListQuery, Resource, Shape},
    },
    http_client::Clients,
    identity::{KeySource, Settings},
};

use super::{ConfigFile, print_line};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// Also make one call to each connection's vendor.
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
    // The gateway would begin to read the provider's keys.
    let identity = config.identity.take();
    let app = App::new(config, &SystemClock::shared())?;
    print_line(format_args!("{} is right", path.display()))?;
    if args.live {
        let mut failed = 0;
        for name in &names {
            let outcome = ask(&app.directory, name).await;
            failed += usize::from(outcome.is_err());
            print_line(format_args!("{name}: {}", outcome.unwrap_or_else(|error| error)))?;
        }
        let mut has_keys = true;
        if let Some(settings) = &identity {
            let outcome = read_keys(settings).await;
            has_keys = outcome.is_ok();
            print_line(format_args!("identity: {}", outcome.unwrap_or_else(|error| error)))?;
        }
        if failed > 0 {
            bail!("{failed} of {} connections did not answer", names.len());
        }
        if !has_keys {
            bail!("the identity provider's keys cannot be had");
        }
    }
    Ok(())
}

/// Asks a connection for its first page, and says how it went.
async fn ask(directory: &Directory, name: &ConnectionName) -> Result<String, String> {
    let question =
        ListQuery { resource: Resource::Customers, filter: Filter::default(), order: None, shape: Shape::default() };
    let page = PageRequest::first(vec![name.clone()], 1);
    let listed = directory.list(&question, &page).await.map_err(|error| error.to_string())?;
    Ok(listed.total().map_or("answers".to_owned(), |total| format!("answers, {total} customers")))
}

/// Reads an identity provider's keys, and says how it went.
async fn read_keys(settings: &Settings) -> Result<String, String> {
    let source = KeySource::new(&settings.jwks, &mut Clients::default()).map_err(|error| error.to_string())?;
    match source.read().await {
        Ok(keys) if keys.is_empty() => Err("answers, and has no key that a token can be verified with".to_owned()),
        Ok(keys) => Ok(format!("answers, {} keys", keys.len())),
        Err(error) => Err(error.to_string()),
    }
}
