//! Log line of a request.
//!
//! tracing's JSON format takes 20,000 instructions per line. The same line written
//! into a buffer takes 1,500 (`docs/PERFORMANCE.md`).

use std::{cell::RefCell, io::Write, sync::Arc, time::Duration};

use jiff::Timestamp;
use opentelemetry::trace::TraceId;
use serde::Serialize;

use crate::domain::{digits::padded, json::is_plain};

use super::JSON_LINES;

/// Capacity for labels of usual length.
const LABEL_BYTES: usize = 128;

thread_local! {
    static BUFFER: RefCell<Buffer> = const { RefCell::new(Buffer::new()) };
}

/// Buffers of a thread, reused for each line.
struct Buffer {
    line: Vec<u8>,
    /// Unix time of `date` in whole seconds.
    second: Option<i64>,
    /// Date and time of the last line, without microseconds.
    date: String,
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
    /// Cache outcome, a name without escapes.
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
        let mut json = Vec::with_capacity(LABEL_BYTES);
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
                self.json(now(), buffer);
                queue.push(&buffer.line);
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
    fn json(&self, now: Timestamp, buffer: &mut Buffer) {
        buffer.line.clear();
        buffer.line.extend_from_slice(br#"{"timestamp":""#);
        buffer.push_time(now);
        let mut line = Line(&mut buffer.line);
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
        line.text(r#","cache":""#);
        line.text(self.cache);
        line.text(r#"","vendor_calls":"#);
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

    /// Appends text as a JSON string.
    fn string(&mut self, text: &str) {
        if !is_plain(text.as_bytes()) {
            return self.value(text);
        }
        self.text("\"");
        self.text(text);
        self.text("\"");
    }

    /// Appends a duration in seconds with six decimals. Shorter parts are dropped.
    fn seconds(&mut self, duration: Duration) {
        // Most hits wait for no vendor.
        if duration.is_zero() {
            return self.text("0.0");
        }
        self.text(itoa::Buffer::new().format(duration.as_secs()));
        self.0.push(b'.');
        self.0.extend_from_slice(&padded::<6>(duration.subsec_micros()));
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
}

impl Buffer {
    const fn new() -> Self {
        Self { line: Vec::new(), second: None, date: String::new() }
    }

    /// Appends a time in UTC with microseconds (RFC 3339). The date is written once per
    /// second.
    fn push_time(&mut self, time: Timestamp) {
        if self.second != Some(time.as_second()) {
            self.second = Some(time.as_second());
            self.date = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        }
        self.line.extend_from_slice(self.date.as_bytes());
        self.line.push(b'.');
        self.line.extend_from_slice(&padded::<6>(time.subsec_nanosecond().unsigned_abs() / 1_000));
        self.line.push(b'Z');
    }
}

#[cfg(test)]
mod tests;
