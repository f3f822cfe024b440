use std::{
    io,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;
use tracing_subscriber::fmt::{self, format::Writer, time::FormatTime};

use super::*;

/// Clock of tracing's lines.
#[derive(Clone, Copy)]
struct Fixed(Timestamp);

impl FormatTime for Fixed {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    }
}

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the line that the gateway writes.
fn written(line: &RequestLine<'_>, now: Timestamp) -> String {
    let mut buffer = Buffer::new();
    line.json(now, &mut buffer);
    String::from_utf8(buffer.line).unwrap()
}

/// Returns the line that tracing writes.
fn traced(line: &RequestLine<'_>, now: Timestamp) -> String {
    let output = Output::default();
    let writer = output.clone();
    let subscriber = fmt::fmt().json().with_timer(Fixed(now)).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || line.emit());
    let bytes = output.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

/// Returns a line without its durations, and the durations. The formats differ: tracing
/// writes a microsecond as `1e-6`.
fn without_durations(line: &str) -> (String, [f64; 2]) {
    let (mut rest, mut durations) = (line.to_owned(), [0.0; 2]);
    for (name, duration) in ["\"duration\":", "\"vendor_duration\":"].iter().zip(&mut durations) {
        let start = rest.rfind(name).unwrap() + name.len();
        let end = start + rest[start..].find([',', '}']).unwrap();
        *duration = rest[start..end].parse().unwrap();
        rest.replace_range(start..end, "");
    }
    (rest, durations)
}

fn line(labels: &LineLabels) -> RequestLine<'_> {
    RequestLine {
        request_id: "0199",
        trace_id: None,
        labels,
        status: 200,
        code: None,
        cache: "-",
        vendor_calls: 0,
        duration: Duration::ZERO,
        vendor_duration: Duration::ZERO,
    }
}

proptest! {
    #[test]
    fn line_equals_the_line_of_tracing(
        (request_id, caller, route, connection) in ("[!-~]{0,40}", ".{0,20}", ".{0,20}", "[a-z\"\\\\\u{0}-\u{20}]{0,9}"),
        (trace_id, code, cache) in (any::<Option<u128>>(), proptest::option::of("[a-z_]{1,9}"), "[a-z-]{1,9}"),
        (status, vendor_calls) in (100..600_u16, any::<u32>()),
        (duration_micros, vendor_micros) in (0..100_000_000_u64, 0..1_000_000_000_000_u64),
        (second, micros) in (0..253_402_207_200_i64, 0..1_000_000_i32),
    ) {
        let line = RequestLine {
            request_id: &request_id,
            trace_id: trace_id.map(|id| TraceId::from_bytes(id.to_be_bytes())),
            labels: &LineLabels::new(caller.into(), route.into(), connection.into()),
            status,
            code: code.as_deref(),
            cache: &cache,
            vendor_calls,
            duration: Duration::from_micros(duration_micros),
            vendor_duration: Duration::from_micros(vendor_micros),
        };
        let now = Timestamp::new(second, micros * 1_000).unwrap();
        let (ours, [duration, vendor_duration]) = without_durations(&written(&line, now));
        let (theirs, expected) = without_durations(&traced(&line, now));
        prop_assert_eq!(ours, theirs);
        prop_assert!((duration - expected[0]).abs() < 1e-7 && (vendor_duration - expected[1]).abs() < 1e-7);
    }
}

#[test]
fn durations_have_microseconds() {
    let labels = LineLabels::new("-".into(), "-".into(), "-".into());
    let (duration, vendor_duration) = (Duration::from_nanos(12_000_045_999), Duration::from_nanos(1));
    let written = written(&RequestLine { duration, vendor_duration, ..line(&labels) }, Timestamp::UNIX_EPOCH);
    assert!(written.contains(r#""duration":12.000045,"vendor_duration":0.000000}"#), "{written}");
}

#[test]
fn failure_is_a_warning() {
    let labels = LineLabels::new("-".into(), "-".into(), "-".into());
    let json = |status| written(&RequestLine { status, ..line(&labels) }, Timestamp::UNIX_EPOCH);
    assert!(json(499).contains(r#""level":"INFO""#));
    let expected = concat!(
        r#"{"timestamp":"1970-01-01T00:00:00.000000Z","level":"WARN","fields":{"request_id":"0199","caller":"-","#,
        r#""route":"-","connection":"-","status":500,"cache":"-","vendor_calls":0,"duration":0.0,"#,
        r#""vendor_duration":0.0},"target":"request"}"#,
    );
    assert_eq!(json(500), format!("{expected}\n"));
}
