//! Each branch of the scripts, against a real server.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use customer_gateway::{
    shared::{
        BlockEvent, Fingerprint, ServerTime, Shared, SharedKey, SharedLimit, Slot, SlotReply, SlotRequest, SlotWindow,
    },
    telemetry::metrics::Registry,
};
use tokio::time::sleep;

use super::SECOND;
use crate::support::redis::{RedisServer, eventually};

/// A server, and a limit that each replica has connected to.
struct Limits {
    server: RedisServer,
    replicas: Vec<(Shared, Arc<dyn SharedLimit>)>,
}

impl Limits {
    async fn start(replicas: usize) -> Self {
        let server = RedisServer::start().await;
        let credential = Fingerprint::new(&SharedKey::derive(b"tests"), [b"secret".as_slice()]);
        let open = |_| {
            let shared = Shared::open(server.settings(), &Registry::default()).unwrap();
            let limit = shared.limit(&credential).unwrap();
            (shared, limit)
        };
        let replicas: Vec<_> = (0..replicas).map(open).collect();
        for (_, limit) in &replicas {
            eventually(async || *limit.connection().borrow()).await;
        }
        Self { server, replicas }
    }

    fn limit(&self, replica: usize) -> &dyn SharedLimit {
        &*self.replicas[replica].1
    }

    async fn take(&self, replica: usize, request: &SlotRequest) -> SlotReply {
        self.limit(replica).take(request).await.unwrap()
    }

    async fn key(&self, part: &str) -> String {
        let keys: Vec<String> = self.server.run("KEYS", &[format!("*:limit:{part}")]).await;
        keys.into_iter().next().unwrap_or_default()
    }

    /// Moves a field of the state by a number of microseconds.
    async fn shift(&self, field: &str, micros: i64) {
        let key = self.key("state").await;
        self.server.run::<i64>("HINCRBY", &[key.as_str(), field, &micros.to_string()]).await;
    }
}

/// Returns a request for a limit of `requests` per second, which starts with all slots
/// free.
fn request(entry: u64, requests: u32) -> SlotRequest {
    SlotRequest {
        entry,
        windows: vec![SlotWindow { requests: NonZeroU32::new(requests).unwrap(), per: SECOND }],
        margin: Duration::from_millis(25),
        lateness: Duration::ZERO,
        pace: Duration::ZERO,
        demand: 1,
        is_background: false,
        starts_exhausted: false,
    }
}

fn exhausted(entry: u64, requests: u32) -> SlotRequest {
    SlotRequest { starts_exhausted: true, ..request(entry, requests) }
}

#[track_caller]
fn granted(reply: SlotReply) -> ServerTime {
    match reply.slot {
        Slot::Granted { at, .. } => at,
        Slot::Wait(wait) => panic!("no slot for {wait:?}"),
    }
}

#[track_caller]
fn wait(reply: SlotReply) -> Duration {
    match reply.slot {
        Slot::Granted { .. } => panic!("a slot is granted"),
        Slot::Wait(wait) => wait,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn window_grants_its_requests() {
    let limits = Limits::start(2).await;
    granted(limits.take(0, &request(0, 2)).await);
    granted(limits.take(1, &request(0, 2)).await);
    let reply = limits.take(0, &request(1, 2)).await;
    assert!(wait(reply) > SECOND / 2 && reply.others == 1, "{reply:?}");
    sleep(wait(reply)).await;
    granted(limits.take(0, &request(1, 2)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_window_counts() {
    let limits = Limits::start(1).await;
    let hour = SlotWindow { requests: NonZeroU32::new(1).unwrap(), per: SECOND * 3600 };
    let mut both = request(0, 5);
    both.windows.push(hour);
    granted(limits.take(0, &both).await);
    both.entry = 1;
    assert!(wait(limits.take(0, &both).await) > SECOND * 3590);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_replicas_take_turns() {
    let limits = Limits::start(3).await;
    granted(limits.take(0, &request(0, 1)).await);
    let first = wait(limits.take(1, &request(0, 1)).await);
    let second = wait(limits.take(2, &request(0, 1)).await);
    assert!(second > first + SECOND / 2, "{first:?} {second:?}");
    sleep(first).await;
    // The second replica is early, and keeps its place.
    assert!(wait(limits.take(2, &request(0, 1)).await) > SECOND / 2);
    granted(limits.take(1, &request(0, 1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn place_of_a_silent_replica_lapses() {
    let limits = Limits::start(3).await;
    granted(limits.take(0, &request(0, 1)).await);
    let silent = wait(limits.take(1, &request(0, 1)).await);
    wait(limits.take(2, &request(0, 1)).await);
    sleep(silent + SECOND / 4).await;
    granted(limits.take(2, &request(0, 1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn replica_that_leaves_frees_its_place() {
    let limits = Limits::start(3).await;
    granted(limits.take(0, &request(0, 1)).await);
    wait(limits.take(1, &request(0, 1)).await);
    limits.limit(1).leave();
    eventually(async || limits.server.run::<i64>("ZCARD", &[limits.key("waiting").await]).await == 0).await;
    assert!(wait(limits.take(2, &request(0, 1)).await) <= SECOND * 11 / 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn background_goes_last() {
    let limits = Limits::start(3).await;
    let background = |entry| SlotRequest { is_background: true, ..request(entry, 1) };
    granted(limits.take(0, &request(0, 1)).await);
    let export = wait(limits.take(1, &background(0)).await);
    // A call of a request passes the export.
    assert!(wait(limits.take(2, &request(0, 1)).await) <= export);
    sleep(export).await;
    wait(limits.take(1, &background(0)).await);
    granted(limits.take(2, &request(0, 1)).await);
    // The replica of the export has a call for a request now.
    assert!(wait(limits.take(1, &request(0, 1)).await) <= SECOND * 11 / 10);
    // With free slots, an export still lets the others go first.
    wait(limits.take(2, &background(1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn second_request_replaces_the_first() {
    let limits = Limits::start(1).await;
    for _ in 0..5 {
        granted(limits.take(0, &request(0, 1)).await);
    }
    wait(limits.take(0, &request(1, 1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn returned_slot_is_free() {
    let limits = Limits::start(1).await;
    wait(limits.take(0, &exhausted(0, 1)).await);
    limits.shift("since", -3_600_000_000).await;
    granted(limits.take(0, &exhausted(0, 1)).await);
    limits.limit(0).give_back(0);
    eventually(async || limits.key("sent").await.is_empty()).await;
    granted(limits.take(0, &exhausted(1, 1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn corrected_call_holds_its_slot() {
    let limits = Limits::start(1).await;
    let at = granted(limits.take(0, &request(0, 1)).await);
    limits.limit(0).correct(0, at.after(SECOND * 3), false);
    eventually(async || match limits.take(0, &request(1, 1)).await.slot {
        Slot::Wait(wait) => wait > SECOND * 3,
        Slot::Granted { .. } => false,
    })
    .await;
    // Only a final correction makes the call earlier.
    limits.limit(0).correct(0, at.after(SECOND), false);
    sleep(SECOND / 10).await;
    assert!(wait(limits.take(0, &request(1, 1)).await) > SECOND * 5 / 2);
    limits.limit(0).correct(0, at, true);
    eventually(async || match limits.take(0, &request(1, 1)).await.slot {
        Slot::Wait(wait) => wait < SECOND * 2,
        Slot::Granted { .. } => true,
    })
    .await;
    // A call that the server does not know is not entered.
    limits.server.flush().await;
    limits.limit(0).correct(0, at, true);
    sleep(SECOND / 10).await;
    assert_eq!(limits.key("sent").await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn lateness_delays_the_next_slot() {
    let limits = Limits::start(1).await;
    granted(limits.take(0, &SlotRequest { lateness: SECOND, ..request(0, 1) }).await);
    assert!(wait(limits.take(0, &request(1, 1)).await) > SECOND * 3 / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn demand_beyond_the_limit_is_paced() {
    let limits = Limits::start(1).await;
    let paced = |entry, demand| SlotRequest { pace: SECOND / 5, demand, ..request(entry, 4) };
    granted(limits.take(0, &paced(0, 4)).await);
    granted(limits.take(0, &paced(1, 3)).await);
    let pause = wait(limits.take(0, &paced(2, 3)).await);
    assert!(pause <= SECOND / 5, "{pause:?}");
    granted(limits.take(0, &paced(2, 2)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_limit_is_exhausted() {
    let limits = Limits::start(1).await;
    let pause = wait(limits.take(0, &exhausted(0, 5)).await);
    assert!(pause > SECOND, "{pause:?}");
    sleep(pause).await;
    granted(limits.take(0, &exhausted(0, 5)).await);
    limits.server.flush().await;
    let reply = limits.take(0, &exhausted(1, 5)).await;
    assert!(wait(reply) > SECOND && reply.is_reset, "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_states_are_exhausted() {
    let limits = Limits::start(1).await;
    let mut entry = 0;
    let mut free = async || {
        entry += 1;
        limits.shift("since", -3_600_000_000).await;
        granted(limits.take(0, &exhausted(entry, 50)).await);
        entry
    };
    wait(limits.take(0, &exhausted(0, 50)).await);
    // The send times are evicted.
    free().await;
    limits.server.run::<i64>("DEL", &[limits.key("sent").await]).await;
    wait(limits.take(0, &exhausted(100, 50)).await);
    // A backup is loaded.
    free().await;
    limits.shift("total", -1).await;
    assert!(limits.take(0, &exhausted(101, 50)).await.is_reset);
    // The state is foreign.
    for part in ["sent", "state"] {
        free().await;
        limits.server.run::<()>("SET", &[limits.key(part).await.as_str(), "foreign"]).await;
        wait(limits.take(0, &exhausted(102, 50)).await);
    }
    for value in ["nan", "inf", "-1", "text", "1e300"] {
        free().await;
        limits.server.run::<i64>("HSET", &[limits.key("state").await.as_str(), "since", value]).await;
        wait(limits.take(0, &exhausted(103, 50)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_that_went_back_stalls_nothing() {
    let limits = Limits::start(1).await;
    wait(limits.take(0, &exhausted(0, 1)).await);
    limits.shift("since", -3_600_000_000).await;
    let at = granted(limits.take(0, &exhausted(0, 1)).await);
    let block = limits.limit(0).block(BlockEvent::Pause { requested: SECOND }).await.unwrap();
    assert!(block.remaining > SECOND / 2);
    // All times of the state are an hour in the future.
    let hour = SECOND * 3600;
    limits.limit(0).correct(0, at.after(hour), true);
    for field in ["last", "until"] {
        limits.shift(field, 3_600_000_000).await;
    }
    sleep(SECOND / 10).await;
    let reply = limits.take(0, &exhausted(1, 1)).await;
    assert!(wait(reply) < SECOND * 2 && reply.block.remaining <= SECOND * 11 / 10, "{reply:?}");
    sleep(wait(reply)).await;
    granted(limits.take(0, &exhausted(1, 1)).await);
}

/// A clock that jumps forward makes calls look old.
#[tokio::test(flavor = "multi_thread")]
async fn clock_that_jumped_forward_exhausts_the_limit() {
    let limits = Limits::start(1).await;
    wait(limits.take(0, &exhausted(0, 5)).await);
    limits.shift("since", -3_600_000_000).await;
    granted(limits.take(0, &exhausted(0, 5)).await);
    let (state, sent) = (limits.key("state").await, limits.key("sent").await);
    let since: String = limits.server.run("HGET", &[state.as_str(), "since"]).await;
    let take = async |has_jumped: &str| {
        let script = include_str!("../../../../src/shared/redis/limits/take.lua");
        let keys = [script, "4", &sent, &state, "waiting", "lapses"];
        let call = ["other", "0", "0", "25000", "0", "1", "0", "1", &since, "1", has_jumped, "5", "1000000"];
        limits.server.run::<Vec<i64>>("EVAL", &[keys.as_slice(), call.as_slice()].concat()).await[4]
    };
    let known: i64 = since.parse().unwrap();
    assert_eq!(take("0").await, known);
    assert!(take("1").await > known);
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_calls_count() {
    let limits = Limits::start(1).await;
    let calls = [(0, SECOND / 10), (1, SECOND / 5)];
    let restored = limits.limit(0).restore(&calls, &[SECOND, SECOND * 3_600]).await.unwrap();
    assert_eq!((restored.is_reset, restored.used), (false, vec![2, 2]));
    limits.shift("since", -3_600_000_000).await;
    wait(limits.take(0, &exhausted(2, 2)).await);
    granted(limits.take(0, &exhausted(2, 3)).await);
    limits.server.flush().await;
    assert!(limits.limit(0).restore(&[], &[]).await.unwrap().is_reset);
    assert!(!limits.limit(0).restore(&[], &[]).await.unwrap().is_reset);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_expire_after_the_last_use() {
    let limits = Limits::start(2).await;
    granted(limits.take(0, &request(0, 1)).await);
    wait(limits.take(1, &request(0, 1)).await);
    limits.limit(0).block(BlockEvent::Pause { requested: SECOND }).await.unwrap();
    for part in ["sent", "state", "waiting", "lapses"] {
        let millis: u64 = limits.server.run("PTTL", &[limits.key(part).await]).await;
        assert!(millis > 89 * 86_400_000, "{part}: {millis}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_double_the_block() {
    let limits = Limits::start(2).await;
    let limited = |age, requested| BlockEvent::RateLimited { age, requested, jitter: 1.0 };
    let [zero, block] = [Duration::ZERO, SECOND].map(|age| limited(age, Duration::ZERO));
    let first = limits.limit(0).block(zero).await.unwrap();
    assert!(first.rate_limits == 1 && first.remaining > SECOND / 2 && !first.is_pause, "{first:?}");
    // Another call of the same time counts once.
    assert_eq!(limits.limit(1).block(block).await.unwrap().rate_limits, 1);
    // Every replica waits for the block.
    let reply = limits.take(1, &request(0, 5)).await;
    assert!(wait(reply) > SECOND / 2 && reply.block.rate_limits == 1, "{reply:?}");
    sleep(first.remaining).await;
    let second = limits.limit(1).block(zero).await.unwrap();
    assert!(second.rate_limits == 2 && second.remaining > SECOND * 3 / 2, "{second:?}");
    // An earlier success changes nothing, and a shorter pause neither.
    assert_eq!(limits.limit(0).block(BlockEvent::Succeeded { age: SECOND }).await.unwrap().rate_limits, 2);
    assert!(!limits.limit(0).block(BlockEvent::Pause { requested: SECOND / 2 }).await.unwrap().is_pause);
    let named = limits.limit(0).block(limited(SECOND, SECOND * 60)).await.unwrap();
    assert!(named.remaining > SECOND * 59, "{named:?}");
    assert!(limits.limit(0).block(BlockEvent::Pause { requested: SECOND * 90 }).await.unwrap().is_pause);
}

#[tokio::test(flavor = "multi_thread")]
async fn success_resets_the_backoff() {
    let limits = Limits::start(1).await;
    let event = BlockEvent::RateLimited { age: Duration::ZERO, requested: Duration::ZERO, jitter: 1.0 };
    let block = limits.limit(0).block(event).await.unwrap();
    sleep(block.remaining).await;
    let block = limits.limit(0).block(BlockEvent::Succeeded { age: Duration::ZERO }).await.unwrap();
    assert_eq!((block.remaining, block.rate_limits), (Duration::ZERO, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_work_without_free_memory() {
    let limits = Limits::start(1).await;
    granted(limits.take(0, &request(0, 5)).await);
    limits.server.run::<()>("CONFIG", &["SET", "maxmemory", "1"]).await;
    let at = granted(limits.take(0, &request(1, 5)).await);
    limits.limit(0).restore(&[(2, SECOND / 10)], &[]).await.unwrap();
    limits.limit(0).block(BlockEvent::Pause { requested: SECOND }).await.unwrap();
    limits.limit(0).correct(1, at.after(SECOND), true);
    limits.limit(0).give_back(0);
    let sent = limits.key("sent").await;
    eventually(async || limits.server.run::<i64>("ZCARD", &[sent.as_str()]).await == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn probe_lease_is_exclusive() {
    let limits = Limits::start(2).await;
    let account = Fingerprint::new(&SharedKey::derive(b"tests"), [b"account".as_slice()]);
    let [first, second] = [0, 1].map(|replica: usize| limits.replicas[replica].0.probe(&account).unwrap());
    assert!(first.acquire(SECOND * 60).await.unwrap());
    assert!(first.acquire(SECOND * 60).await.unwrap());
    assert!(!second.acquire(SECOND * 60).await.unwrap());
    // The lease of another replica is not released.
    second.release();
    sleep(SECOND / 10).await;
    assert!(!second.acquire(SECOND).await.unwrap());
    first.release();
    eventually(async || second.acquire(SECOND / 10).await.unwrap()).await;
    // A lapsed lease, a foreign key and a lease that never lapses.
    eventually(async || first.acquire(SECOND).await.unwrap()).await;
    let keys: Vec<String> = limits.server.run("KEYS", &["*:probe"]).await;
    limits.server.run::<()>("SET", &[keys[0].as_str(), "foreign"]).await;
    assert!(second.acquire(SECOND).await.unwrap());
    limits.server.run::<i64>("DEL", &[keys[0].as_str()]).await;
    limits.server.run::<i64>("SADD", &[keys[0].as_str(), "foreign"]).await;
    assert!(first.acquire(SECOND).await.unwrap());
}
