//! Tests of retry hints.

use http::HeaderName;
use proptest::prelude::*;

use super::*;

const NOW: &str = "2025-11-01T00:00:00Z";
const HOUR: u64 = 3_600_000;

fn millis(fields: &[(&str, &str)]) -> Option<u64> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    let wait = retry_after(&headers, NOW.parse().unwrap())?;
    Some(u64::try_from(wait.as_millis()).unwrap())
}

#[track_caller]
fn assert_waits(name: &str, cases: &[(&str, Option<u64>)]) {
    for (value, expected) in cases {
        assert_eq!(millis(&[(name, value)]), *expected, "{name}: {value}");
    }
}

#[test]
fn retry_after_is_read_in_every_form() {
    assert_waits(
        "Retry-After",
        &[
            ("7", Some(7_000)),
            (" 7 ", Some(7_000)),
            ("1.2", Some(2_000)),
            ("0.001", Some(1_000)),
            ("0120", Some(120_000)),
            ("5, 10", Some(10_000)),
            ("Sat, 01 Nov 2025 00:01:30 GMT", Some(90_000)),
            ("Saturday, 01-Nov-25 00:01:30 GMT", Some(90_000)),
            ("Sat Nov  1 00:01:30 2025", Some(90_000)),
            ("Sat, 01 Nov 2025 01:01:30 +0100", Some(90_000)),
            ("2025-11-01T00:01:30Z", Some(90_000)),
        ],
    );
}

#[test]
fn unusable_retry_after_names_no_time() {
    for value in ["0", "0.0", "", "-1", "soon", "1e3", "NaN", "inf", ".", "+5", "5 s", "Fri, 31 Oct 2025 23:00:00 GMT"]
    {
        assert_eq!(millis(&[("Retry-After", value)]), None, "{value}");
    }
}

#[test]
fn absurd_wait_is_an_hour() {
    for (name, value) in [
        ("Retry-After", "3601"),
        ("Retry-After", "18446744073709551615"),
        ("Retry-After", "18446744073709551616"),
        ("Retry-After", "99999999999999999999999999999999999999999999999999"),
        ("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("retry-after-ms", "18446744073709551615"),
        ("x-ratelimit-reset", "18446744073709551615"),
        ("x-ratelimit-reset", "99999999999999999999999999"),
        ("ratelimit-reset", "999999999"),
        ("ratelimit", "\"a\";r=0;t=999999999999999"),
    ] {
        assert_eq!(millis(&[(name, value)]), Some(HOUR), "{name}: {value}");
    }
    assert_eq!(millis(&[("Retry-After", &"9".repeat(5_000))]), Some(HOUR));
}

#[test]
fn dates_are_relative_to_the_response() {
    let [skewed, retry] = ["Sun, 02 Nov 2025 12:00:00 GMT", "Sun, 02 Nov 2025 12:00:20 GMT"];
    assert_eq!(millis(&[("Date", skewed), ("Retry-After", retry)]), Some(20_000));
    assert_eq!(millis(&[("Date", skewed), ("X-RateLimit-Reset", "1762084820")]), Some(20_000));
    assert_eq!(
        millis(&[("Date", "Friday, 31-Oct-25 23:00:00 GMT"), ("Retry-After", "Fri, 31 Oct 2025 23:00:20 GMT")]),
        Some(20_000)
    );
    assert_eq!(millis(&[("Date", "broken"), ("Retry-After", "Sat, 01 Nov 2025 00:00:20 GMT")]), Some(20_000));
    assert_eq!(millis(&[("Date", skewed), ("Retry-After", "20")]), Some(20_000));
}

#[test]
fn reset_is_an_instant_or_a_delay() {
    assert_waits(
        "X-RateLimit-Reset",
        &[
            ("1761955205", Some(5_000)),
            ("1761955205.25", Some(5_250)),
            ("1761955205250", Some(5_250)),
            ("1761955205250000", Some(5_250)),
            ("5", Some(5_000)),
            ("0.2", Some(1_000)),
            ("30, 60", Some(60_000)),
            ("Sat, 01 Nov 2025 00:00:05 GMT", Some(5_000)),
            ("2025-11-01T00:00:05Z", Some(5_000)),
            ("0", None),
            ("1761955200", None),
            ("1761951600", None),
            ("", None),
            ("soon", None),
            ("-5", None),
        ],
    );
    assert_waits("RateLimit-Reset", &[("5", Some(5_000)), ("1761955205", Some(5_000)), ("0", None)]);
    assert_waits("X-RateLimit-Reset-After", &[("0.75", Some(1_000))]);
}

#[test]
fn reset_counts_without_remaining_calls() {
    for (remaining, expected) in
        [("0", Some(5_000)), ("0, 99", Some(5_000)), ("1", None), ("24", None), ("?", Some(5_000))]
    {
        for prefix in ["X-RateLimit", "X-Rate-Limit", "RateLimit"] {
            let [reset, left] = ["Reset", "Remaining"].map(|name| format!("{prefix}-{name}"));
            assert_eq!(millis(&[(&reset, "5"), (&left, remaining)]), expected, "{left}: {remaining}");
        }
    }
}

#[test]
fn structured_rate_limit_is_read() {
    assert_waits(
        "RateLimit",
        &[
            ("\"default\";r=0;t=30", Some(30_000)),
            ("default;r=0;t=30", Some(30_000)),
            ("\"burst\";r=0;t=2, \"daily\";r=900;t=43200", Some(2_000)),
            ("\"burst\";r=0;t=2, \"daily\";r=0;t=60", Some(60_000)),
            ("\"default\";r=5;t=30", None),
            ("\"default\";r=0", None),
            ("\"default\";r=0;t=0", None),
            ("\"default\";r=0;t=-1", None),
            ("limit=100, remaining=0, reset=30", Some(30_000)),
            ("limit=100, remaining=3, reset=30", None),
            ("limit=100, reset=30", Some(30_000)),
            ("broken;;", None),
            ("", None),
        ],
    );
    let policy = ("RateLimit-Policy", "\"burst\";q=10;w=2, \"daily\";q=9000;w=86400");
    assert_eq!(millis(&[("RateLimit", "\"burst\";r=0"), policy]), Some(2_000));
    assert_eq!(millis(&[policy]), None);
}

#[test]
fn several_hints_have_an_order() {
    let reset = ("X-RateLimit-Reset", "60");
    assert_eq!(millis(&[("Retry-After", "5"), ("Retry-After", "20"), reset]), Some(20_000));
    assert_eq!(millis(&[("Retry-After", "1"), ("retry-after-ms", "250")]), Some(1_000));
    assert_eq!(millis(&[("retry-after-ms", "250")]), Some(250));
    assert_eq!(millis(&[("Retry-After", "0"), reset]), Some(60_000));
    assert_eq!(millis(&[("Retry-After", "soon"), reset]), Some(60_000));
    assert_eq!(millis(&[("RateLimit", "\"a\";r=0;t=90"), reset]), Some(90_000));
}

fn field() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let names = vec![
        "date",
        "retry-after",
        "retry-after-ms",
        "x-ratelimit-reset",
        "x-ratelimit-remaining",
        "ratelimit-reset",
        "ratelimit",
        "ratelimit-policy",
    ];
    let value = prop_oneof![
        any::<Vec<u8>>(),
        any::<u128>().prop_map(|number| number.to_string().into()),
        any::<f64>().prop_map(|number| number.to_string().into()),
        any::<u32>()
            .prop_map(
                |number| httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(number.into())).into()
            ),
        (any::<i64>(), any::<i64>()).prop_map(|(r, t)| format!("\"a\";r={r};t={t}").into()),
    ];
    (prop::sample::select(names), value)
}

proptest! {
    #[test]
    fn any_wait_is_positive_and_bounded(fields in prop::collection::vec(field(), 0..6)) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
        for now in [NOW.parse().unwrap(), Timestamp::MIN, Timestamp::MAX] {
            let wait = retry_after(&headers, now);
            prop_assert!(wait.is_none_or(|wait| !wait.is_zero() && wait <= MAX_WAIT), "{wait:?}");
        }
    }
}
