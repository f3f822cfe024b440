//! Headers and bodies of failed vendor responses. The first byte selects the
//! status; the lines up to an empty line are headers; the rest is the body.

#![no_main]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use customer_gateway_fuzz::{
    fields,
    rows::{CORPORATION, TOLT},
    stage::Stage,
    vendor::Vendor,
};
use http::{HeaderMap, Response, StatusCode, header::RETRY_AFTER};
use libfuzzer_sys::fuzz_target;
use tokio::time::Instant;

const STATUSES: &[u16] = &[429, 503, 500, 403, 400, 404, 410, 422, 200, 203, 401, 413, 204, 301];
/// Longest wait that the gateway requests, in seconds.
const MAX_WAIT: u64 = 3_600;

thread_local!(static STAGES: [(Stage, Vendor); 2] = [TOLT, CORPORATION].map(|layout| {
    let vendor = Vendor::default();
    (Stage::start(&[(layout.vendor, "odd", layout.account, vendor.clone())]), vendor)
}));

fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    let end = rest.windows(2).position(|bytes| bytes == b"\n\n").unwrap_or(rest.len());
    let headers = fields::read(&rest[..end]);
    let body = Bytes::copy_from_slice(rest.get(end + 2..).unwrap_or_default());
    let status = STATUSES[usize::from(first) % STATUSES.len()];
    STAGES.with(|stages| {
        let (stage, vendor) = &stages[usize::from(first >= 0x80)];
        check(stage, vendor, status, &headers, body);
    });
});

fn check(stage: &Stage, vendor: &Vendor, status: u16, headers: &HeaderMap, body: Bytes) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    vendor.answer_with({
        let (calls, headers) = (Arc::clone(&calls), headers.clone());
        move |_| {
            calls.lock().expect("no thread panics").push(Instant::now());
            let mut response = Response::new(body.clone());
            *response.status_mut() = StatusCode::from_u16(status).expect("a valid status");
            response.headers_mut().extend(headers.clone());
            response
        }
    });
    stage.begin();
    for target in ["/customers", "/customers?limit=1", "/customers/odd.a"] {
        let answer = stage.get(target, &HeaderMap::new());
        if answer.headers.contains_key(RETRY_AFTER) {
            let seconds: u64 = answer.header("retry-after").parse().expect("a number of seconds");
            assert!((1..=MAX_WAIT).contains(&seconds), "{target}: {seconds} s");
        }
        if status == 429 {
            assert_eq!(answer.code(), "vendor_rate_limited", "{target}");
            assert!(answer.headers.contains_key(RETRY_AFTER), "{target}: a rate limit names a wait");
        }
    }
    let calls = calls.lock().expect("no thread panics");
    if status == 429 {
        let pauses = calls.windows(2).map(|calls| calls[1] - calls[0]);
        let requested = plain_seconds(headers);
        for pause in pauses {
            assert!(pause > Duration::ZERO, "the vendor is called again at once");
            assert!(requested.is_none_or(|requested| pause >= requested), "called after {pause:?} of {requested:?}");
        }
    }
}

/// Returns the wait of a `Retry-After` that every client reads alike.
fn plain_seconds(headers: &HeaderMap) -> Option<Duration> {
    let mut values = headers.get_all(RETRY_AFTER).iter();
    let text = values.next()?.to_str().ok()?;
    let is_plain = values.next().is_none() && (1..=9).contains(&text.len());
    let is_plain = is_plain && text.bytes().all(|digit| digit.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_plain)?;
    Some(Duration::from_secs(std::cmp::min(seconds, MAX_WAIT)))
}
