//! Stub of Tolt's customer list that serves pages at minimal cost.
//!
//! `/<rows>/<delay in ms>/v1/customers`: `rows` is `10` or `100` for a fixed
//! page, or `walk` for consecutive pages of 100, selected by `starting_after`.
//! `/calls` returns the number of pages served.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bench_servers::{Answer, port, serve};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
};

const ID_PREFIX: &str = "cust_dK9bzRGn46BhVg";
const TOTAL: u64 = 10_000_000;

static CALLS: AtomicU64 = AtomicU64::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let (ten, hundred) = (page(0, 10), page(0, 100));
    serve(port(), move |request| answer(request, ten.clone(), hundred.clone())).await
}

async fn answer(request: Request<Incoming>, ten: Bytes, hundred: Bytes) -> Answer {
    let mut parts = request.uri().path().splitn(4, '/').skip(1);
    let (rows, delay, rest) = (parts.next(), parts.next(), parts.next());
    if rows == Some("calls") {
        return json(CALLS.load(Ordering::Relaxed).to_string().into());
    }
    let body = match (rows, rest) {
        (Some("10"), Some("v1/customers")) => ten,
        (Some("100"), Some("v1/customers")) => hundred,
        (Some("walk"), Some("v1/customers")) => page(after(request.uri().query().unwrap_or_default()), 100),
        _ => {
            let mut missing = Answer::default();
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return missing;
        }
    };
    CALLS.fetch_add(1, Ordering::Relaxed);
    let delay: u64 = delay.and_then(|delay| delay.parse().ok()).unwrap_or_default();
    if delay > 0 {
        // tokio's timer rounds up to whole milliseconds, which would hide the
        // measured difference.
        let slept = tokio::task::spawn_blocking(move || std::thread::sleep(Duration::from_millis(delay)));
        slept.await.expect("sleeping does not fail");
    }
    json(body)
}

/// Returns the number of the page's first row.
fn after(query: &str) -> u64 {
    let id = query.split('&').find_map(|pair| pair.strip_prefix("starting_after="));
    let last: Option<u64> = id.and_then(|id| id.strip_prefix(ID_PREFIX)?.parse().ok());
    last.map_or(0, |last| last + 1)
}

fn page(first: u64, rows: u64) -> Bytes {
    let mut body = format!(r#"{{"success":true,"has_more":true,"total_count":{TOTAL},"data":{{"data":["#);
    for n in first..first + rows {
        let separator = if n == first { "" } else { "," };
        // Newest first, one second apart.
        let second = (TOTAL - n) % 60;
        let minute = (TOTAL - n) / 60 % 60;
        let hour = (TOTAL - n) / 3_600 % 24;
        let day = (TOTAL - n) / 86_400;
        let (month, day, year) = (day / 28 % 12 + 1, day % 28 + 1, 2015 + day / 336);
        let created = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z");
        write!(
            body,
            r#"{separator}{{"id":"{ID_PREFIX}{n:08}","email":"michael.scott{n}@dundermifflin.example","partner_id":"part_s7mbzRGn46BhVgNFHD6fDgXW","name":"Michael Gary Scott","customer_id":"michael_scott_{n}","created_at":"{created}","updated_at":"{created}","status":"active","program_id":"prg_YRsbPDAKhWfdqJbFACheh","organization_id":"org_JE3mfYNL9ci7sFaJazAv2"}}"#
        )
        .expect("text can be written");
    }
    body.push_str("]}}");
    body.into()
}

fn json(body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
