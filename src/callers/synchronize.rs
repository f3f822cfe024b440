//! Synchronization of quotas with other replicas.
//!
//! A request is admitted by the quota in the process, and does not wait for the
//! server. Replicas may therefore admit too many requests between two
//! synchronizations. The server counts them, and later requests wait for them, so the
//! average stays within the quota.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::{StreamExt, stream};

use crate::{
    clock::SharedClock,
    rate::Gcra,
    shared::{QuotaReport, Quotas},
};

use super::{Caller, Quota};

/// Time between two synchronizations.
const INTERVAL: Duration = Duration::from_millis(100);
/// Quotas that are synchronized at the same time.
const MAX_CONCURRENT: usize = 32;

/// Quota of a caller.
pub(super) struct SharedQuota {
    pub(super) caller: Arc<Caller>,
    pub(super) quota: Quota,
    pub(super) limiter: Arc<Gcra>,
}

/// Synchronizes the quotas with recent requests, until their source is dropped.
pub(super) async fn synchronize<S: Send + Sync>(
    source: Weak<S>,
    quotas_of: fn(&S) -> Vec<SharedQuota>,
    server: Arc<dyn Quotas>,
    clock: SharedClock,
) {
    loop {
        clock.sleep(INTERVAL).await;
        let Some(quotas) = source.upgrade().map(|source| quotas_of(&source)) else { return };
        stream::iter(&quotas).for_each_concurrent(MAX_CONCURRENT, |quota| report(quota, &*server, &clock)).await;
    }
}

/// Reports the requests since the last report, and adopts the state of all replicas.
async fn report(quota: &SharedQuota, server: &dyn Quotas, clock: &SharedClock) {
    let SharedQuota { caller, quota, limiter } = quota;
    let Some(usage) = limiter.take_usage(clock.elapsed()) else { return };
    let rate = limiter.rate();
    let report = QuotaReport {
        requests: usage.slots,
        interval: rate.interval(),
        capacity: rate.capacity(),
        own_wait: usage.wait,
    };
    let (requests, per) = (quota.requests.get().to_le_bytes(), quota.per.as_nanos().to_le_bytes());
    let name = [caller.name.as_bytes(), &requests, &per];
    // Without the server, the process counts its own requests. They are part of
    // `own_wait` in the next report.
    if let Ok(wait) = server.report(&name, report).await {
        limiter.adopt(&usage, wait, clock.elapsed());
    }
}
