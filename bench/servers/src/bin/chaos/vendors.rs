//! Attacks by vendors.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    time::{Duration, Instant},
};

use bench_servers::{
    process::Launch,
    vendor::{Fault, Faults},
};
use tokio::task::JoinSet;

use crate::{
    figures::{Effect, measure},
    stage::{self, MEASURED, Stage},
};

/// Memory in MiB that bodies in flight may add: the bound of 64 MiB, buffers, and the
/// allocator's share.
const BODIES: u64 = 256;

/// Vendor whose name has two addresses, the first of which does not answer.
pub async fn dead_address(binary: PathBuf) -> Effect {
    // The resolver sorts addresses: the first is 127.0.0.1.
    const HEALTHY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
    let (a, b) = (stage::vendor(Ipv4Addr::LOCALHOST), stage::vendor(HEALTHY));
    let hosts = tempfile::NamedTempFile::new().expect("the temporary directory is writable");
    fs::write(hosts.path(), "127.0.0.1 vendor.example\n127.0.0.2 vendor.example\n127.0.0.1 localhost\n")
        .expect("the temporary directory is writable");
    // A full backlog drops further connections.
    let dead = TcpListener::bind((Ipv4Addr::LOCALHOST, b.port)).expect("the address is free");
    let address = dead.local_addr().expect("the socket is bound");
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
    let filling: Vec<_> = (0..4_200).map_while(connect).collect();
    let is_dead = TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err();
    let mount = format!("mount --bind {} /etc/hosts && exec \"$0\" \"$@\"", hosts.path().display());
    let wrapper = ["unshare", "--mount", "sh", "-c", &mount].map(str::to_owned);
    let launch = Launch { wrapper: &wrapper, ..Launch::new(&binary) };
    let direct = Stage::start(Launch::new(&binary), "", "127.0.0.1").await;
    let before = measure(&direct.victim(), MEASURED).await;
    let stage = Stage::with(launch, "", "vendor.example", a, b).await;
    let start = Instant::now();
    let first = stage.victim().get("/customers?connection=b&limit=10&partner_id=part_rfirst").await;
    let (waited, status) = (start.elapsed(), first.map_or(0, |reply| reply.status));
    let during = measure(&stage.victim(), MEASURED).await;
    drop(filling);
    Effect::new(before, during)
        .check("first address dead", is_dead)
        .check(format!("first request {status} after {:.2} s", waited.as_secs_f64()), status == 200)
}

/// Vendor that hangs, with 300 requests per second.
pub async fn hanging(binary: PathBuf) -> Effect {
    let stage = Stage::start(Launch::new(&binary), "", "127.0.0.1").await;
    let victim = stage.victim();
    let before = measure(&victim, MEASURED).await;
    stage.a.set_faults(Faults::always(Fault::Stall(Duration::from_secs(60))));
    let flood = tokio::spawn(flood(stage.attacker(false), Duration::from_micros(3_333)));
    let during = measure(&victim, MEASURED * 2).await;
    flood.abort();
    Effect::new(before, during).check(format!("{} calls hang", stage.a.calls()), stage.a.calls() > 0)
}

/// Vendor whose bodies of 7 MiB do not end, with 100 requests per second.
pub async fn endless_bodies(binary: PathBuf) -> Effect {
    let stage = Stage::start(Launch::new(&binary), "", "127.0.0.1").await;
    let victim = stage.victim();
    let before = measure(&victim, MEASURED).await;
    let memory = stage.gateway.memory().unwrap_or(0);
    stage.a.set_faults(Faults::always(Fault::Endless(7 << 20)));
    let flood = tokio::spawn(flood(stage.attacker(false), Duration::from_millis(10)));
    let during = measure(&victim, MEASURED).await;
    let grown = stage.gateway.memory().unwrap_or(u64::MAX).saturating_sub(memory) / 1024;
    flood.abort();
    Effect::new(before, during)
        .check(format!("{} bodies without an end, memory + {grown} MiB", stage.a.calls()), grown <= BODIES)
}

/// Sends distinct requests for `a` without waiting for the responses.
async fn flood(client: bench_servers::client::Client, interval: Duration) {
    let mut requests = JoinSet::new();
    loop {
        let client = client.clone();
        let target = format!("/customers?connection=a&limit=10&partner_id=part_r{}", fastrand::u64(..));
        requests.spawn(async move { drop(client.get(&target).await) });
        tokio::time::sleep(interval).await;
        while requests.try_join_next().is_some() {}
    }
}
