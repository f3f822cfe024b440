//! Forecast of the calls of a request, behind the calls of older requests.

use std::time::Duration;

/// Request whose calls are forecast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    /// Earliest time of the next call. A request makes its calls one by one.
    pub(super) ready: Duration,
    /// Calls that the request still needs.
    pub(super) calls: u32,
    /// True after the first call.
    pub(super) is_started: bool,
}

/// Returns the send times of the first and the last call of a request. Each slot
/// goes to the oldest started request whose next call is ready. Otherwise the
/// oldest request starts. A request of several calls starts while fewer than
/// `max_started` started requests need calls. `slot` returns the time of the slot
/// after a number of others.
pub(super) fn send_times(
    slot: impl Fn(u32) -> Duration,
    mut older: Vec<Progress>,
    mut own: Progress,
    latency: Duration,
    max_started: u32,
) -> (Duration, Duration) {
    let mut first = None;
    let mut number = 0;
    let mut time = own.ready;
    loop {
        let started = older.iter().filter(|request| request.is_started).count();
        let is_full = u32::try_from(started).is_ok_and(|started| started >= max_started);
        let may_send = |request: &Progress| request.is_started || request.calls <= 1 || !is_full;
        let waiting = older.iter().chain([&own]).filter(|request| may_send(request));
        let next_ready = waiting.map(|request| request.ready).min().unwrap_or(time);
        time = time.max(slot(number)).max(next_ready);
        number = number.saturating_add(1);
        let is_next = |request: &Progress| request.ready <= time && may_send(request);
        let is_next_started = |request: &Progress| request.is_started && is_next(request);
        let mut next = older.iter().position(is_next_started);
        if next.is_none() && !is_next_started(&own) {
            next = older.iter().position(is_next);
        }
        if let Some(index) = next {
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
        self.is_started = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn progress(ready: u32, calls: u32, is_started: bool) -> Progress {
        Progress { ready: SECOND * ready, calls, is_started }
    }

    #[test]
    fn older_requests_go_first_when_ready() {
        let older = vec![progress(2, 2, true), progress(0, 1, true)];
        let times = send_times(|number| SECOND * number, older, progress(0, 2, false), SECOND, 9);
        assert_eq!(times, (SECOND, SECOND * 4));
    }

    #[test]
    fn request_starts_when_another_needs_no_more() {
        let older = vec![progress(0, 3, true), progress(0, 2, false)];
        let times = send_times(|number| SECOND * number, older, progress(0, 2, false), SECOND * 2, 1);
        assert_eq!(times, (SECOND * 6, SECOND * 8));
    }
}
