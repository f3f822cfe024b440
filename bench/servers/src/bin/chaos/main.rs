//! Attacks on the gateway: an attacker, vendors and unaffected clients in this
//! process, and the gateway's binary between them, over loopback.
//!
//! `chaos GATEWAY [NAME...]` runs all attacks, or attacks by name. `--list` prints
//! the names. The exit status is 1 if an attack failed.

mod attacks;
mod clients;
mod deaf;
mod figures;
mod keysets;
mod processes;
mod stage;
mod vendors;

use std::{future::Future, path::PathBuf, pin::Pin, process::ExitCode};

use bench_servers::argument;

use self::figures::Effect;

type Attack = fn(PathBuf) -> Pin<Box<dyn Future<Output = Effect> + Send>>;

/// Attacks with their names.
const ATTACKS: [(&str, Attack); 12] = [
    ("stderr", |binary| Box::pin(processes::stalled_stderr(binary))),
    ("descriptors", |binary| Box::pin(processes::descriptors(binary))),
    ("fifo", |binary| Box::pin(processes::fifo(binary))),
    ("purges", |binary| Box::pin(attacks::purges(binary))),
    ("resets", |binary| Box::pin(attacks::resets(binary))),
    ("unread", |binary| Box::pin(attacks::unread(binary))),
    ("address", |binary| Box::pin(vendors::dead_address(binary))),
    ("hanging", |binary| Box::pin(vendors::hanging(binary))),
    ("bodies", |binary| Box::pin(vendors::endless_bodies(binary))),
    ("deaf", |binary| Box::pin(deaf::connection(binary))),
    ("keysets", |binary| Box::pin(keysets::empty(binary))),
    ("full", |binary| Box::pin(processes::export_to_device(binary))),
];

#[tokio::main]
async fn main() -> ExitCode {
    let binary = PathBuf::from(argument(1, "the gateway's binary"));
    let chosen: Vec<String> = std::env::args().skip(2).collect();
    if chosen.iter().any(|name| name == "--list") {
        println!("{}", ATTACKS.map(|(name, _)| name).join("\n"));
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = chosen.iter().find(|name| ATTACKS.iter().all(|(known, _)| known != name)) {
        eprintln!("no attack named {unknown}; --list prints the names");
        return ExitCode::FAILURE;
    }
    let mut is_clean = true;
    for (name, attack) in ATTACKS {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            let effect = attack(binary.clone()).await;
            is_clean &= effect.is_ok();
            println!("{name:<12} {effect}");
        }
    }
    if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
