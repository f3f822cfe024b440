//! Forecast of the calls of a request, behind the calls of older requests.

use std::time::Duration;

/// Request whose calls are forecast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    /// Earliest time of the next call. A request makes its calls one by one.
    pub(super) ready: Duration,
    /// Calls that the request still needs.
    pub(super) calls: u32,
}

/// Returns the send times of the first and the last call of a request. Each slot
/// goes to the oldest request whose next call is ready. `slot` returns the time
/// of the slot after a number of others.
pub(super) fn send_times(
    slot: impl Fn(u32) -> Duration,
    mut older: Vec<Progress>,
    mut own: Progress,
    latency: Duration,
) -> (Duration, Duration) {
    let mut first = None;
    let mut number = 0;
    let mut time = own.ready;
    loop {
        let next_ready = older.iter().chain([&own]).map(|request| request.ready).min().unwrap_or(time);
        time = time.max(slot(number)).max(next_ready);
        number = number.saturating_add(1);
        if let Some(index) = older.iter().position(|request| request.ready <= time) {
            older[index].send(time, latency);
            if older[index].calls == 0 {
                older.remove(index);
            }
            continue;
        }
        own.send(time, latency);
        let first = *first.get_or_insert(time);
        if own.calls == 0 {
            return (first, time);
        }
    }
}

impl Progress {
    fn send(&mut self, time: Duration, latency: Duration) {
        self.calls = self.calls.saturating_sub(1);
        self.ready = time.saturating_add(latency);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn older_requests_go_first_when_ready() {
        let older = vec![Progress { ready: SECOND * 2, calls: 2 }, Progress { ready: Duration::ZERO, calls: 1 }];
        let own = Progress { ready: Duration::ZERO, calls: 2 };
        let times = send_times(|number| SECOND * number, older, own, SECOND);
        assert_eq!(times, (SECOND, SECOND * 4));
    }
}
