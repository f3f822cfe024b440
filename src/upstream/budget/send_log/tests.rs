use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;

const MARGIN: Duration = Duration::from_millis(30);

fn window(requests: u32, millis: u64) -> Window {
    Window { requests: NonZeroU32::new(requests).unwrap(), per: Duration::from_millis(millis) }
}

/// Largest number of instants in any period of a window.
fn worst(instants: &[Duration], window: Window) -> usize {
    let count = |(index, first): (usize, &Duration)| {
        instants[index..].iter().take_while(|instant| **instant < *first + window.per).count()
    };
    instants.iter().enumerate().map(count).max().unwrap_or(0)
}

fn windows() -> impl Strategy<Value = Vec<Window>> {
    prop::collection::vec((1..30_u32, 100..3_000_u64), 1..3)
        .prop_map(|windows| windows.into_iter().map(|(requests, millis)| window(requests, millis)).collect())
}

proptest! {
    /// A saturating load keeps every window, at the vendor too, and uses the
    /// limit. Calls arrive up to 60 ms after they are sent.
    #[test]
    fn windows_hold_at_the_vendor(
        windows in windows(),
        delays in prop::collection::vec(0..60_u64, 300),
    ) {
        let mut log = SendLog::new(windows.clone(), MARGIN);
        let mut now = Duration::from_secs(1);
        let (mut arrivals, mut open): (Vec<Duration>, Vec<(Duration, SendId)>) = (Vec::new(), Vec::new());
        // The first call shows the fastest round trip.
        for delay in std::iter::once(0).chain(delays) {
            now = now.max(log.slot(0, now));
            open.retain(|(answer, id)| {
                if *answer <= now {
                    log.end(*id, true, *answer);
                }
                *answer > now
            });
            now = now.max(log.slot(0, now));
            let id = log.send(now);
            let arrival = now + Duration::from_millis(delay);
            arrivals.push(arrival);
            open.push((arrival + Duration::from_millis(20), id));
        }
        arrivals.sort_unstable();
        for window in &windows {
            prop_assert!(worst(&arrivals, *window) <= window.requests.get() as usize);
        }
    }

    /// Each predicted slot is the time at which the call is sent.
    #[test]
    fn predicted_slots_are_exact(window in (1..30_u32, 100..3_000_u64), calls in 1..200_u64) {
        let mut log = SendLog::new(vec![self::window(window.0, window.1)], MARGIN);
        let mut now = Duration::from_secs(1);
        let predicted: Vec<_> = (0..calls).map(|ahead| log.slot(ahead, now)).collect();
        for slot in predicted {
            now = log.slot(0, now);
            prop_assert_eq!(now, slot);
            let id = log.send(now);
            log.end(id, true, now);
        }
    }

    /// A changed limit counts the calls of the old limit.
    #[test]
    fn changed_windows_hold(limits in prop::collection::vec(1..40_u32, 2..8)) {
        let per = 1_000;
        let mut log = SendLog::new(vec![window(limits[0], per)], MARGIN);
        let mut now = Duration::from_secs(1);
        for pair in limits.windows(2) {
            let end = now + Duration::from_millis(1_500);
            log.set_windows(vec![window(pair[1], per)]);
            let mut sent = Vec::new();
            while log.slot(0, now) < end {
                now = log.slot(0, now);
                let id = log.send(now);
                log.end(id, true, now);
                sent.push(now);
            }
            now = end;
            prop_assert!(worst(&sent, window(pair[1], per)) <= pair[1] as usize);
            let all: Vec<_> = log.sends.iter().map(|send| send.at).collect();
            let max = pair[0].max(pair[1]);
            prop_assert!(worst(&all, window(max, per)) <= max as usize);
        }
    }
}

#[test]
fn saturated_limit_is_used() {
    let mut log = SendLog::new(vec![window(25, 1_000)], MARGIN);
    let mut now = Duration::ZERO;
    let mut calls = 0;
    while now < Duration::from_mins(1) {
        now = log.slot(0, now);
        let id = log.send(now);
        log.end(id, true, now + Duration::from_millis(20));
        calls += 1;
    }
    assert!(calls >= 60 * 25 * 97 / 100, "{calls}");
}

#[test]
fn storm_of_changes_uses_the_smaller_limit() {
    let mut log = SendLog::new(vec![window(20, 1_000)], MARGIN);
    let mut now = Duration::from_secs(1);
    let mut sent = Vec::new();
    for change in 0..300 {
        let end = now + Duration::from_millis(100);
        log.set_windows(vec![window(if change % 2 == 0 { 25 } else { 20 }, 1_000)]);
        while log.slot(0, now) < end {
            now = log.slot(0, now);
            let id = log.send(now);
            log.end(id, true, now);
            sent.push(now);
        }
        now = end;
    }
    assert!(worst(&sent, window(25, 1_000)) <= 25);
    assert!(sent.len() >= 30 * 20 * 97 / 100, "{}", sent.len());
}

#[test]
fn unanswered_call_holds_its_slot() {
    let mut log = SendLog::new(vec![window(1, 1_000)], MARGIN);
    let first = log.send(Duration::ZERO);
    log.end(first, true, Duration::from_millis(20));
    let second = log.send(Duration::from_secs(2));
    let now = Duration::from_secs(10);
    assert!(log.slot(0, now) > now);
    log.end(second, true, now);
    assert_eq!(log.slot(0, now), now + Duration::from_millis(995));
}

#[test]
fn cancelled_call_frees_its_slot() {
    let mut log = SendLog::new(vec![window(1, 1_000)], MARGIN);
    let id = log.send(Duration::ZERO);
    assert_eq!(log.remaining(Duration::ZERO), 0);
    log.cancel(id);
    assert_eq!((log.remaining(Duration::ZERO), log.slot(0, Duration::ZERO)), (1, Duration::ZERO));
}

#[test]
fn longer_window_counts_from_the_change() {
    let mut log = SendLog::new(vec![window(1, 1_000)], MARGIN);
    let mut now = Duration::from_secs(1);
    for _ in 0..50 {
        now = log.slot(0, now);
        let id = log.send(now);
        log.end(id, true, now);
    }
    now += Duration::from_secs(10);
    let day = Window { requests: NonZeroU32::new(40).unwrap(), per: Duration::from_hours(24) };
    log.set_windows(vec![window(1, 1_000), day]);
    assert_eq!(log.slot(0, now), now);
    log.set_windows(vec![window(1, 1_000)]);
    assert_eq!(log.slot(0, now), now);
}

/// A call in flight for longer than a period still shows its delay.
#[test]
fn round_trips_beyond_the_period_are_recorded() {
    let mut log = SendLog::new(vec![window(1, 1_000)], MARGIN);
    let ids: Vec<_> = (0..3).map(|second| log.send(Duration::from_millis(1_100 * second))).collect();
    for (id, end) in ids.into_iter().zip([1_400, 2_500, 4_000]) {
        log.end(id, true, Duration::from_millis(end));
    }
    // The last call was 400 ms slower than the fastest.
    assert_eq!(log.slot(0, Duration::from_secs(3)), Duration::from_millis(2_200 + 1_000 + 400 + 15));
}
