//! Vendors in this process, with faults and a log of the calls that arrive.

mod arrivals;
mod body;
mod corporation;
mod fault;
mod rows;
mod tolt;

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use self::body::VendorBody;
pub use self::{
    arrivals::{Arrivals, Excess},
    fault::{Fault, Faults},
    rows::{Rows, id},
};

/// Program or corporation of every row.
pub const ACCOUNT: &str = "prg_YRsbPDAKhWfdqJbFACheh";

/// API of a vendor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Tolt,
    Corporation,
}

/// Vendor on a loopback port, with a thread of its own. Stopped when dropped.
pub struct Vendor {
    pub port: u16,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
}

struct State {
    kind: Kind,
    /// Time from the arrival of a call to its answer.
    latency: Mutex<Duration>,
    rows: Mutex<Rows>,
    faults: Mutex<Faults>,
    random: Mutex<fastrand::Rng>,
    arrivals: Mutex<Arrivals>,
    last_answer: Mutex<Option<Instant>>,
}

/// Answer before faults are applied.
struct Answer {
    status: StatusCode,
    body: String,
}

type Parameters = HashMap<String, String>;

impl Vendor {
    /// Starts a vendor on a free port of 127.0.0.1.
    pub fn start(kind: Kind, latency: Duration, rows: Rows, limit: u32, seed: u64) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST, kind, latency, rows, limit, seed)
    }

    /// Starts a vendor on a free port of an address.
    pub fn start_at(address: Ipv4Addr, kind: Kind, latency: Duration, rows: Rows, limit: u32, seed: u64) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("loopback has a free port");
        listener.set_nonblocking(true).expect("the socket is valid");
        let port = listener.local_addr().expect("the socket is bound").port();
        let state = Arc::new(State {
            kind,
            latency: Mutex::new(latency),
            rows: Mutex::new(rows),
            faults: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            arrivals: Mutex::new(Arrivals::new(limit)),
            last_answer: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&state);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("threads start");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("the socket is valid");
                tokio::select! {
                    () = accept(listener, Arc::clone(&served)) => {}
                    () = watch_pauses(&served) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { port, state, stop: Some(stop) }
    }

    pub fn set_faults(&self, faults: Faults) {
        *lock(&self.state.faults) = faults;
    }

    pub fn set_latency(&self, latency: Duration) {
        *lock(&self.state.latency) = latency;
    }

    /// States that the gateway's limit changes now, in calls per second.
    pub fn set_limit(&self, limit: u32) {
        lock(&self.state.arrivals).set_limit(limit);
    }

    /// Changes the rows.
    pub fn change<T>(&self, change: impl FnOnce(&mut Rows) -> T) -> T {
        change(&mut lock(&self.state.rows))
    }

    /// Returns the number of calls so far.
    pub fn calls(&self) -> usize {
        lock(&self.state.arrivals).count()
    }

    /// Returns the time of the last answer without a fault.
    pub fn last_answer(&self) -> Option<Instant> {
        *lock(&self.state.last_answer)
    }

    /// Returns the largest number of calls in a second, and the windows above
    /// their limits.
    pub fn windows(&self) -> (usize, Vec<Excess>) {
        lock(&self.state.arrivals).result()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

async fn accept(listener: tokio::net::TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let state = Arc::clone(&state);
                async move { state.answer(&request).await }
            });
            if stream.set_nodelay(true).is_ok() {
                // A disconnected gateway is not an error.
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
            }
        });
    }
}

/// Records the pauses of this vendor's thread, which delay the recorded arrivals.
async fn watch_pauses(state: &State) {
    const TICK: Duration = Duration::from_millis(5);
    loop {
        let before = Instant::now();
        tokio::time::sleep(TICK).await;
        lock(&state.arrivals).pause(Instant::now(), before.elapsed().saturating_sub(TICK));
    }
}

impl State {
    async fn answer(&self, request: &Request<Incoming>) -> io::Result<Response<VendorBody>> {
        lock(&self.arrivals).arrive(Instant::now());
        let (fault, jitter) = {
            let mut random = lock(&self.random);
            (lock(&self.faults).next(&mut random), random.f64())
        };
        let latency = *lock(&self.latency);
        tokio::time::sleep(latency.mul_f64(0.5 + jitter)).await;
        let query = request.uri().query().unwrap_or_default();
        let query: Parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let answer = match self.kind {
            Kind::Tolt => tolt::answer(request.uri().path(), &query, &mut lock(&self.rows)),
            Kind::Corporation => corporation::answer(request.uri().path(), &query, &mut lock(&self.rows)),
        };
        match fault {
            Some(fault) => fault.apply(answer).await,
            None => {
                *lock(&self.last_answer) = Some(Instant::now());
                Ok(answer.into_response())
            }
        }
    }
}

impl Answer {
    fn into_response(self) -> Response<VendorBody> {
        let mut response = Response::new(VendorBody::whole(Bytes::from(self.body)));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no thread panicked")
}
