use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::{sync::watch, task::JoinSet};

use super::{
    super::{Budget, RateLimit, Window},
    *,
};
use crate::{
    clock::Clock,
    domain::priority::Priority,
    upstream::{CallerShare, Latency},
};

const LATENCY: Duration = Duration::from_millis(20);
/// Time from a response to the next call of a request.
const PROCESSING: Duration = Duration::from_millis(1);
const CALLS: u32 = 10;

/// Clock that moves to the end of the next sleep when no task can proceed.
struct SteppedClock {
    elapsed: watch::Sender<Duration>,
    ends: Mutex<BTreeSet<Duration>>,
}

impl SteppedClock {
    async fn run(&self) {
        loop {
            // Lets every task proceed.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            if let Some(next) = self.ends.lock().pop_first() {
                self.elapsed.send_replace(next);
            }
        }
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.borrow()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (mut elapsed, end) = (self.elapsed.subscribe(), self.elapsed() + duration);
        if end > self.elapsed() {
            self.ends.lock().insert(end);
        }
        Box::pin(async move { drop(elapsed.wait_for(|now| *now >= end).await) })
    }
}

#[tokio::test]
async fn started_request_uses_the_next_slot() {
    let clock = Arc::new(SteppedClock { elapsed: watch::Sender::default(), ends: Mutex::default() });
    let windows = vec![Window { requests: 20.try_into().unwrap(), per: Duration::from_secs(1) }];
    let budget = Budget::new(&RateLimit { windows, max_wait: Duration::from_secs(30) }, clock.clone());
    let latency = Arc::new(Latency::default());
    latency.record(LATENCY);
    let mut requests = JoinSet::new();
    for _ in 0..10 {
        requests.spawn(send_calls(budget.clone(), Arc::clone(&latency)));
    }
    tokio::select! {
        _ = requests.join_all() => {}
        () = clock.run() => {}
    }
    // 20 of the 100 calls are sent in each 1.03 s.
    assert!(clock.elapsed() < Duration::from_millis(5_200), "{:?}", clock.elapsed());
}

/// Makes the calls of a request one by one.
async fn send_calls(budget: Budget, latency: Arc<Latency>) {
    let clock = Arc::clone(&budget.0.clock);
    let (caller, deadline) = (CallerShare::unrestricted(), Duration::from_mins(1));
    let reservation = Reservation::new(budget.clone(), caller, Priority::Caller, deadline, latency);
    let reservation = Arc::new(reservation);
    reservation.expect_calls(CALLS);
    reservation.admit().unwrap();
    for left in (0..CALLS).rev() {
        let waiters = Arc::new(Waiters::default());
        let waiter = waiters.join(Arc::clone(&reservation));
        let slot = budget.acquire(&waiters).await.unwrap();
        clock.sleep(LATENCY).await;
        slot.answered();
        waiter.answered();
        reservation.expect_calls(left);
        clock.sleep(PROCESSING).await;
    }
}
