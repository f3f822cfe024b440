//! Attacks on the gateway's process: its standard error, descriptors and files.

use std::{
    fs,
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bench_servers::process::Launch;

use crate::{
    figures::{Effect, measure},
    stage::{MEASURED, Stage},
};

/// Maximum time from SIGTERM to the exit.
const EXIT: Duration = Duration::from_secs(5);

/// Standard error whose reader has stopped.
pub async fn stalled_stderr(binary: PathBuf) -> Effect {
    let (reader, writer) = std::io::pipe().expect("the system has pipes");
    let launch = Launch { filter: "info", stderr: Some(Stdio::from(writer)), ..Launch::new(&binary) };
    let mut stage = Stage::start(launch, "", "127.0.0.1").await;
    let victim = stage.victim();
    let before = measure(&victim, Duration::from_secs(1)).await;
    // The pipe is full after 64 KiB, and the gateway's queue after 2 MiB.
    for _ in 0..8_000 {
        let hit = victim.get("/customers?connection=b&limit=1&partner_id=part_rhit");
        if tokio::time::timeout(Duration::from_secs(5), hit).await.is_err() {
            break;
        }
    }
    let during = measure(&victim, MEASURED).await;
    let effect = exit(Effect::new(before, during), &mut stage).await;
    drop(reader);
    effect
}

/// Limit of 128 descriptors and 178 idle clients.
pub async fn descriptors(binary: PathBuf) -> Effect {
    let wrapper = ["prlimit", "--nofile=128:128"].map(str::to_owned);
    let launch = Launch { wrapper: &wrapper, ..Launch::new(&binary) };
    let mut stage = Stage::start(launch, "", "127.0.0.1").await;
    let victim = stage.victim();
    let before = measure(&victim, MEASURED).await;
    let idle: Vec<_> = (0..178).filter_map(|_| TcpStream::connect(("127.0.0.1", stage.gateway.port)).ok()).collect();
    let during = measure(&victim, MEASURED).await;
    let effect = Effect::new(before, during).check(format!("{} idle clients", idle.len()), idle.len() == 178);
    drop(idle);
    exit(effect, &mut stage).await
}

/// FIFO in the place of a secret, with `watch`.
pub async fn fifo(binary: PathBuf) -> Effect {
    let mut stage = Stage::start(Launch::new(&binary), "watch = \"500ms\"", "127.0.0.1").await;
    let victim = stage.victim();
    let before = measure(&victim, MEASURED).await;
    let path = stage.gateway.file("a");
    fs::remove_file(&path).expect("the secret exists");
    let made = Command::new("mkfifo").arg(&path).status();
    let is_made = made.is_ok_and(|status| status.success());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let during = measure(&victim, MEASURED).await;
    let livez = tokio::time::timeout(Duration::from_secs(1), victim.get("/livez")).await;
    let is_live = matches!(livez, Ok(Ok(reply)) if reply.status == 200);
    let effect = Effect::new(before, during).check("FIFO made", is_made).check("/livez answered", is_live);
    exit(effect, &mut stage).await
}

/// `customer-gateway export` to a device that accepts no bytes. The command ends at once,
/// and reads no list that it cannot write.
pub async fn export_to_device(binary: PathBuf) -> Effect {
    let stage = Stage::start(Launch::new(&binary), "", "127.0.0.1").await;
    let victim = stage.victim();
    let before = measure(&victim, MEASURED).await;
    let url = format!("http://127.0.0.1:{}", stage.gateway.port);
    let mut export = Command::new(&binary);
    export.args(["export", "--output", "/dev/full", "--url", &url, "/customers?connection=a"]);
    export.env("GATEWAY_KEY", &stage.attacker).stdout(Stdio::null()).stderr(Stdio::null());
    let mut export = export.spawn().expect("the gateway starts");
    let start = Instant::now();
    let during = measure(&victim, MEASURED).await;
    let ended = export.try_wait().ok().flatten();
    drop(export.kill());
    drop(export.wait());
    let text = match ended {
        Some(status) => format!("{status} within {:.0} s", start.elapsed().as_secs_f64()),
        None => "the export runs on".to_owned(),
    };
    let is_ended = ended.is_some_and(|status| !status.success());
    let calls = stage.a.calls();
    Effect::new(before, during).check(text, is_ended).check(format!("{calls} vendor calls"), calls == 0)
}

/// Checks that SIGTERM ends the process.
async fn exit(effect: Effect, stage: &mut Stage) -> Effect {
    match stage.gateway.terminate(EXIT).await {
        Some((status, time)) => {
            effect.check(format!("exit {:.2} s after SIGTERM", time.as_secs_f64()), status.success())
        }
        None => effect.check(format!("no exit {} s after SIGTERM", EXIT.as_secs()), false),
    }
}
