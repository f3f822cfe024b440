//! Rate limits that replicas count together.

mod behaviour;
mod failures;
mod load;
mod scripts;

use std::{num::NonZeroU32, time::Duration};

use customer_gateway::{config::Config, shared::Settings, upstream::Window};

use crate::support::{Gateway, config, redis::RedisServer};
use load::{Load, Vendor};

/// Calls per second.
const LIMIT: u32 = 25;
const SECOND: Duration = Duration::from_secs(1);

/// Returns a configuration with one connection to the vendor. Each replica fetches its
/// own pages, because pages of other replicas need no slot.
fn configuration(vendor: &Vendor, settings: Settings) -> Config {
    let mut connection = vendor.connection();
    connection.rate_limit.windows = vec![Window { requests: NonZeroU32::new(LIMIT).unwrap(), per: SECOND }];
    connection.rate_limit.max_wait = Duration::from_secs(30);
    let shared = Settings { cache: false, ..settings };
    Config { shared: Some(shared), ..config(vec![connection]) }
}

async fn gateways<const N: usize>(vendor: &Vendor, server: &RedisServer) -> [Gateway; N] {
    crate::support::redis::replicas(|| configuration(vendor, server.settings())).await
}

/// Runs a saturating load, and expects that the limit is kept and used.
async fn saturate<const N: usize>() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let gateways = gateways::<N>(&vendor, &server).await;
    let load = Load::start(&gateways, 16);
    tokio::time::sleep(SECOND * 10).await;
    let failed = load.stop().await;
    assert_eq!(failed, Vec::<String>::new());
    vendor.assert_kept(LIMIT, SECOND);
    let used = vendor.used(LIMIT, SECOND);
    // Without other tests on the machine, the use is at least 0.97.
    assert!(used >= 0.9, "{used}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_uses_the_limit() {
    saturate::<1>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_use_the_limit() {
    saturate::<3>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_replicas_use_the_limit() {
    saturate::<4>().await;
}
