//! Log line of a request.
//!
//! tracing's JSON format takes 20,000 instructions per line. The same line written
//! into a buffer takes 1,500 (`docs/PERFORMANCE.md`).

use std::{cell::RefCell, io::Write, sync::Arc, time::Duration};

use jiff::{Timestamp, tz::Offset};
use opentelemetry::trace::TraceId;
use serde::Serialize;

use super::JSON_LINES;

thread_local! {
    /// Buffer of the thread's lines.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Facts of a completed request, in the order of the fields of the line.
#[derive(Debug, Clone, Copy)]
pub struct RequestLine<'r> {
    /// Id of the request.
    pub request_id: &'r str,
    /// Id of the trace, if any.
    pub trace_id: Option<TraceId>,
    /// Labels of the request.
    pub labels: &'r LineLabels,
    /// Status of the response.
    pub status: u16,
    /// Code of the problem, if the response is a problem.
    pub code: Option<&'r str>,
    /// Cache outcome.
    pub cache: &'r str,
    /// Number of vendor calls made for the response.
    pub vendor_calls: u32,
    /// Time from the request to the response head.
    pub duration: Duration,
    /// Part of `duration` spent waiting for vendors.
    pub vendor_duration: Duration,
}

/// Labels of a line, whose JSON is written once for all hits of a cached response.
#[derive(Debug, Clone)]
pub struct LineLabels {
    caller: Arc<str>,
    route: Arc<str>,
    connection: Arc<str>,
    /// Members of the labels.
    json: Box<[u8]>,
}

/// Returns whether the filter of the log admits a line. A filter may name the fields.
macro_rules! is_enabled {
    ($level:ident) => {
        tracing::enabled!(
            target: "request",
            tracing::Level::$level,
            request_id, trace_id, caller, route, connection, status, code, cache, vendor_calls, duration,
            vendor_duration
        )
    };
}

impl LineLabels {
    /// Creates labels of the caller's name, the route's template and the names of the
    /// connections, joined by commas.
    #[must_use]
    pub fn new(caller: Arc<str>, route: Arc<str>, connection: Arc<str>) -> Self {
        let mut json = Vec::new();
        Line(&mut json).labels(&caller, &route, &connection);
        Self { caller, route, connection, json: json.into() }
    }
}

impl RequestLine<'_> {
    /// Writes the line, at level `warn` if the status is 500 or above. `now` returns
    /// the time of day.
    pub fn write(&self, now: impl FnOnce() -> Timestamp) {
        // tracing writes human-readable lines, and lines of tests.
        let Some(queue) = JSON_LINES.get() else { return self.emit() };
        if self.is_failure() && is_enabled!(WARN) || !self.is_failure() && is_enabled!(INFO) {
            BUFFER.with_borrow_mut(|buffer| {
                buffer.clear();
                self.json(now(), buffer);
                queue.push(buffer);
            });
        }
    }

    fn is_failure(&self) -> bool {
        self.status >= 500
    }

    /// Passes the line to tracing.
    fn emit(&self) {
        let Self { request_id, labels, status, code, cache, vendor_calls, .. } = *self;
        let (caller, route, connection) = (&*labels.caller, &*labels.route, &*labels.connection);
        let trace_id = self.trace_id.map(tracing::field::display);
        let (duration, vendor_duration) = (self.duration.as_secs_f64(), self.vendor_duration.as_secs_f64());
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "request",
                    request_id, trace_id, caller, route, connection, status, code, cache, vendor_calls, duration,
                    vendor_duration
                )
            };
        }
        if self.is_failure() { line!(warn) } else { line!(info) }
    }

    /// Writes the line as tracing's JSON format has it.
    fn json(&self, now: Timestamp, buffer: &mut Vec<u8>) {
        let mut line = Line(buffer);
        line.text(r#"{"timestamp":""#);
        line.time(now);
        line.text(if self.is_failure() { r#"","level":"WARN""# } else { r#"","level":"INFO""# });
        line.text(r#","fields":{"request_id":"#);
        line.string(self.request_id);
        if let Some(trace_id) = self.trace_id {
            line.text(r#","trace_id":""#);
            line.display(trace_id);
            line.text("\"");
        }
        line.0.extend_from_slice(&self.labels.json);
        line.text(r#","status":"#);
        line.value(&self.status);
        if let Some(code) = self.code {
            line.text(r#","code":"#);
            line.value(code);
        }
        line.text(r#","cache":"#);
        line.string(self.cache);
        line.text(r#","vendor_calls":"#);
        line.value(&self.vendor_calls);
        line.text(r#","duration":"#);
        line.seconds(self.duration);
        line.text(r#","vendor_duration":"#);
        line.seconds(self.vendor_duration);
        line.text("},\"target\":\"request\"}\n");
    }
}

/// Buffer of a line. No write to a buffer fails.
struct Line<'b>(&'b mut Vec<u8>);

impl Line<'_> {
    /// Appends text without escapes.
    fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Appends a JSON value.
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        let _ = serde_json::to_writer(&mut *self.0, value);
    }

    /// Appends a JSON string. Usual text has no character to escape.
    fn string(&mut self, text: &str) {
        // All bytes are read, so the compiler can vectorize the loop.
        let is_escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        if text.bytes().fold(false, |escaped, byte| escaped | is_escaped(byte)) {
            return self.value(text);
        }
        self.text("\"");
        self.text(text);
        self.text("\"");
    }

    /// Appends a duration in seconds.
    fn seconds(&mut self, duration: Duration) {
        if duration.is_zero() { self.text("0.0") } else { self.value(&duration.as_secs_f64()) }
    }

    fn labels(&mut self, caller: &str, route: &str, connection: &str) {
        self.text(r#","caller":"#);
        self.value(caller);
        self.text(r#","route":"#);
        self.value(route);
        self.text(r#","connection":"#);
        self.value(connection);
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.0, "{value}");
    }

    /// Appends a time in UTC with microseconds (RFC 3339).
    fn time(&mut self, time: Timestamp) {
        let time = Offset::UTC.to_datetime(time);
        let year = time.year().unsigned_abs();
        let micros = time.subsec_nanosecond().unsigned_abs() / 1_000;
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let pairs = [
            (0, u32::from(year / 100)),
            (2, u32::from(year % 100)),
            (5, u32::from(time.month().unsigned_abs())),
            (8, u32::from(time.day().unsigned_abs())),
            (11, u32::from(time.hour().unsigned_abs())),
            (14, u32::from(time.minute().unsigned_abs())),
            (17, u32::from(time.second().unsigned_abs())),
            (20, micros / 10_000),
            (22, micros / 100 % 100),
            (24, micros % 100),
        ];
        for (place, number) in pairs {
            if let Some(digits) = text.get_mut(place..place + 2) {
                digits.copy_from_slice(&two_digits(number));
            }
        }
        self.0.extend_from_slice(&text);
    }
}

/// Returns the digits of a number below 100.
fn two_digits(number: u32) -> [u8; 2] {
    [number / 10, number % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or_default())
}

#[cfg(test)]
mod tests;
