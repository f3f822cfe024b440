//! Vendor in this process that records its calls.

use std::{
    convert::Infallible,
    fmt::Write,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::oneshot};

const ID_PREFIX: &str = "cust_dK9bzRGn46BhVg";
/// Rows per page.
pub const PAGE: u32 = 100;

/// Behaviour of a vendor.
#[derive(Clone, Copy)]
pub struct Behaviour {
    /// Time from the arrival of a call to its answer.
    pub latency: Duration,
    /// Pages of each list.
    pub pages: u32,
    /// Period after the vendor's start in which calls get status 429.
    pub rejects: Option<(Duration, Duration)>,
}

/// Call that arrived at the vendor.
#[derive(Clone)]
pub struct Call {
    pub arrived: Instant,
    /// Partner id of the list, which identifies the request at the gateway.
    pub partner: String,
    /// True if the gateway waited for the answer.
    pub is_answered: bool,
    pub is_rejected: bool,
}

/// Vendor on a loopback port, stopped when dropped. The vendor has a thread of its
/// own, because clients of other cases would delay the arrival of its calls.
pub struct Vendor {
    pub port: u16,
    state: Arc<State>,
    /// Stops the vendor when dropped.
    _stop: oneshot::Sender<()>,
}

struct State {
    behaviour: Behaviour,
    started: Instant,
    calls: Mutex<Vec<Call>>,
}

impl Vendor {
    pub fn start(behaviour: Behaviour) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        listener.set_nonblocking(true).expect("the socket is open");
        let port = listener.local_addr().expect("the socket is bound").port();
        let state = Arc::new(State { behaviour, started: Instant::now(), calls: Mutex::default() });
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("the runtime starts").block_on(async {
                let listener = TcpListener::from_std(listener).expect("the socket is open");
                tokio::select! {
                    () = accept(listener, serving) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { port, state, _stop: stop }
    }

    /// Returns the calls so far, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().expect("no thread panicked").clone()
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let state = Arc::clone(&state);
                async move { Ok::<_, Infallible>(state.answer(&request).await) }
            });
            if stream.set_nodelay(true).is_ok() {
                // A disconnected gateway is not an error.
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
            }
        });
    }
}

impl State {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let arrived = Instant::now();
        let query = request.uri().query().unwrap_or_default();
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let age = arrived - self.started;
        let is_rejected = self.behaviour.rejects.is_some_and(|(from, to)| from <= age && age < to);
        let partner = parameter("partner_id").unwrap_or_default().to_owned();
        let index = {
            let mut calls = self.calls.lock().expect("no thread panicked");
            calls.push(Call { arrived, partner, is_answered: false, is_rejected });
            calls.len() - 1
        };
        tokio::time::sleep(self.behaviour.latency).await;
        self.calls.lock().expect("no thread panicked")[index].is_answered = true;
        if is_rejected {
            let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
            *response.status_mut() = hyper::StatusCode::TOO_MANY_REQUESTS;
            return response;
        }
        let first = parameter("starting_after")
            .and_then(|id| id.strip_prefix(ID_PREFIX)?.parse::<u32>().ok())
            .map_or(0, |last| last + 1);
        let mut response = Response::new(Full::new(self.page(first)));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    /// Returns the page that starts at a row. Lists of one page have one row.
    fn page(&self, first: u32) -> Bytes {
        let total = if self.behaviour.pages == 1 { 1 } else { self.behaviour.pages * PAGE };
        let last = (first + PAGE).min(total);
        let mut body =
            format!(r#"{{"success":true,"has_more":{},"total_count":{total},"data":{{"data":["#, last < total);
        for row in first..last {
            let separator = if row == first { "" } else { "," };
            let (minute, second) = ((total - row) / 60 % 60, (total - row) % 60);
            write!(
                body,
                r#"{separator}{{"id":"{ID_PREFIX}{row:08}","email":"michael.scott{row}@dundermifflin.example","partner_id":"part_s7mbzRGn46BhVgNFHD6fDgXW","name":"Michael Gary Scott","customer_id":"michael_scott_{row}","created_at":"2025-01-15T14:{minute:02}:{second:02}.000Z","updated_at":"2025-01-15T14:{minute:02}:{second:02}.000Z","status":"active","program_id":"prg_YRsbPDAKhWfdqJbFACheh","organization_id":"org_JE3mfYNL9ci7sFaJazAv2"}}"#
            )
            .expect("text can be written");
        }
        body.push_str("]}}");
        body.into()
    }
}
