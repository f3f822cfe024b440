//! The `customer-gateway` command.

use clap::Parser;
use customer_gateway::cli::{self, Cli};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    cli::run(Cli::parse()).await
}
