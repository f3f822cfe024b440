//! One fetch for all replicas, and its failures.

use std::time::Duration;

use customer_gateway::sandbox::Fault;
use futures_util::future::{join, join_all};
use tokio::time::sleep;

use super::cluster::{Cluster, PAGE, get_with, times};
use crate::support::{Answer, redis::RedisServer};

/// Sends requests to all replicas, in turn.
async fn herd<const N: usize>(cluster: &Cluster<N>, requests: usize, target: &str) -> Vec<Answer> {
    join_all((0..requests).map(|request| cluster.replicas[request % N].get(target))).await
}

/// Sends requests to all replicas while the vendor's response is held back.
async fn held_herd<const N: usize>(cluster: &Cluster<N>, requests: usize, target: &str) -> Vec<Answer> {
    cluster.gate.close();
    let opening = async {
        cluster.gate.wait_for_requests(1).await;
        sleep(Duration::from_millis(300)).await;
        cluster.gate.open();
    };
    join(herd(cluster, requests, target), opening).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn herd_on_replicas_is_one_call() {
    let cluster = Cluster::<4>::start().await;
    let answers = herd(&cluster, 64, PAGE).await;
    assert_eq!(cluster.tolt_calls(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text == answers[0].text));

    let answers = held_herd(&cluster, 64, &cluster.customer(3)).await;
    assert_eq!(cluster.tolt_calls(), 2);
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text == answers[0].text));
    let collapsed = |answer: &&Answer| answer.header("cache-status").contains("; collapsed");
    assert_eq!(answers.iter().filter(collapsed).count(), 63);
}

#[tokio::test(flavor = "multi_thread")]
async fn failure_reaches_the_waiting_replicas() {
    let cluster = Cluster::<3>::start().await;
    cluster.vendors.tolt().fail_next(1, Fault::Status(401));
    for answer in held_herd(&cluster, 12, PAGE).await {
        assert_eq!(answer.code(502), "vendor_unauthorized");
    }
    assert_eq!(cluster.tolt_calls(), 1);
    // A later request fetches the page again.
    cluster.replicas[1].get(PAGE).await.ok();
    assert_eq!(cluster.tolt_calls(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_survive_the_death_of_the_leader() {
    let cluster = Cluster::<2>::start().await;
    let mortal = cluster.start_mortal();
    cluster.ready_with(3).await;
    cluster.gate.close();
    let leader = tokio::spawn(reqwest::get(format!("{}{PAGE}", mortal.url)));
    cluster.gate.wait_for_requests(1).await;
    let (answers, ()) = join(herd(&cluster, 8, PAGE), async {
        sleep(Duration::from_millis(200)).await;
        assert_eq!(cluster.gate.requests(), 1);
        mortal.kill();
        cluster.gate.wait_for_requests(2).await;
        cluster.gate.open();
    })
    .await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(cluster.gate.requests(), 2);
    drop(leader.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_that_left_passes_the_fetch_on() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    cluster.gate.close();
    {
        let leaving = one.get(PAGE);
        tokio::pin!(leaving);
        tokio::select! {
            _ = &mut leaving => panic!("the gate is closed"),
            () = cluster.gate.wait_for_requests(1) => {}
        }
    }
    // The call was sent, so it goes on without its client.
    let (answer, ()) = join(other.get(PAGE), async {
        sleep(Duration::from_millis(200)).await;
        cluster.gate.open();
    })
    .await;
    answer.ok();
    assert_eq!(cluster.gate.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn caller_overtakes_a_slow_refresh() {
    let redis = RedisServer::start().await;
    let cluster = Cluster::<2>::start_with(redis, |config| times(config, 200, 600_000)).await;
    let [one, other] = &cluster.replicas;
    one.get(PAGE).await.ok();
    sleep(Duration::from_millis(300)).await;
    cluster.gate.close();
    one.get(PAGE).await.ok();
    cluster.gate.wait_for_requests(2).await;
    let (answer, ()) = join(get_with(other, PAGE, "max-age=0"), async {
        cluster.gate.wait_for_requests(3).await;
        cluster.gate.open();
    })
    .await;
    answer.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_survive_the_loss_of_the_server() {
    for is_killed in [true, false] {
        let mut cluster = Cluster::<3>::start().await;
        cluster.gate.close();
        let first = cluster.replicas[0].get(PAGE);
        let (first, others) = join(first, async {
            cluster.gate.wait_for_requests(1).await;
            let followers = join_all([1, 2, 1, 2].map(|replica| cluster.replicas[replica].get(PAGE)));
            let loss = async {
                sleep(Duration::from_millis(200)).await;
                cluster.redis.pause();
                // Each follower's replica fetches the page itself.
                cluster.gate.wait_for_requests(3).await;
                cluster.gate.open();
            };
            join(followers, loss).await.0
        })
        .await;
        first.ok();
        assert!(others.iter().all(|answer| answer.status == 200));
        if is_killed {
            cluster.redis.kill();
        } else {
            cluster.redis.resume();
        }
        for replica in &cluster.replicas {
            replica.get(&cluster.customer(1)).await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flush_and_cut_subscribers_fail_no_request() {
    let cluster = Cluster::<3>::start().await;
    let targets: Vec<_> = (0..10).map(|index| cluster.customer(index)).collect();
    let load = async {
        for round in 0..30 {
            let answers = targets.iter().enumerate().map(|(index, target)| {
                let replica = &cluster.replicas[(index + round) % 3];
                replica.get(target)
            });
            for answer in join_all(answers).await {
                answer.ok();
            }
        }
    };
    let trouble = async {
        for _ in 0..5 {
            cluster.redis.flush().await;
            cluster.redis.run::<i64>("CLIENT", &["KILL", "TYPE", "pubsub"]).await;
            sleep(Duration::from_millis(50)).await;
        }
    };
    join(load, trouble).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_server_fails_no_request() {
    let redis = RedisServer::start_with(&["--maxmemory-policy", "noeviction"]).await;
    let cluster = Cluster::<2>::start_with(redis, |_| {}).await;
    cluster.replicas[0].get(PAGE).await.ok();
    cluster.stored(1).await;
    cluster.redis.run::<()>("CONFIG", &["SET", "maxmemory", "1"]).await;
    // Pages remain readable, and are no longer stored.
    cluster.replicas[1].get(PAGE).await.ok();
    assert_eq!(cluster.tolt_calls(), 1);
    for replica in &cluster.replicas {
        replica.get(&cluster.customer(3)).await.ok();
    }
    assert_eq!(cluster.tolt_calls(), 3);
    assert_eq!(super::cluster::purge(&cluster.replicas[1], "?connection=affiliates").await["purged"], 2);
    assert!(cluster.keys(":page:").await.len() <= 1);
    cluster.redis.run::<()>("CONFIG", &["SET", "maxmemory", "0"]).await;
    cluster.ready().await;
    cluster.replicas[0].get(PAGE).await.ok();
    assert_eq!(cluster.tolt_calls(), 4);
}
