//! What every call passes before its vendor's own routes: the log, the key, the limit, the faults.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, RwLock},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
    request::Parts,
};
use serde::Serialize;
use tokio::time::Instant;

use super::{Fault, Options, limit::RateLimit, lock::lock, log::Log};

/// A whole answer, before it is sent or spoilt.
pub(crate) type Answer = Response<Bytes>;

/// One simulated API.
pub trait Vendor: fmt::Debug + Send + Sync + 'static {
    /// Path that precedes the vendor's routes.
    const BASE_PATH: &'static str;

    /// Customer object of the vendor.
    type Customer;
    /// Table of the vendor's customers.
    type Customers: Store<Self::Customer>;

    /// Returns the gate in front of the vendor's routes.
    fn gate(&self) -> &Gate;

    /// Returns the vendor's customers.
    fn customers(&self) -> &RwLock<Self::Customers>;

    /// The answer to a request that passed the gate.
    fn route(&self, request: &Parts) -> Answer;

    /// The vendor's own error body for a status that no parameter caused.
    fn error(&self, status: StatusCode, path: &str) -> Answer;
}

/// Changeable rows of one kind.
pub trait Store<T> {
    /// Returns all rows in the vendor's order.
    fn to_vec(&self) -> Vec<T>;

    /// Adds a row, or replaces the row with the same id.
    fn insert(&mut self, row: T);

    /// Removes a row. Returns false if the id is unknown.
    fn remove(&mut self, id: &str) -> bool;
}

/// What differs between the vendors' gates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) credential: &'static str,
    pub(crate) per_second: usize,
    /// The header that goes with a 429.
    pub(crate) retry_after: Option<&'static str>,
}

/// The state that every call passes, and the controls over it.
#[derive(Debug)]
pub struct Gate {
    pub(crate) log: Log,
    rules: Rules,
    latency: Duration,
    error_rate: f64,
    chance: Mutex<fastrand::Rng>,
    limit: Option<Mutex<RateLimit>>,
    faults: Mutex<VecDeque<Fault>>,
}

impl Gate {
    pub(crate) fn new(options: &Options, rules: Rules) -> Self {
        Self {
            log: Log::default(),
            rules,
            latency: options.latency,
            error_rate: options.error_rate,
            chance: Mutex::new(fastrand::Rng::with_seed(options.seed)),
            limit: options.enforce_rate_limits.then(|| Mutex::new(RateLimit::new(rules.per_second))),
            faults: Mutex::default(),
        }
    }

    pub(crate) fn credential(&self) -> &'static str {
        self.rules.credential
    }

    pub(crate) fn fail_next(&self, n: usize, fault: Fault) {
        lock(&self.faults).extend(std::iter::repeat_n(fault, n));
    }

    /// The status with which a request is turned away, if it is.
    fn refusal(&self, request: &Parts) -> Option<StatusCode> {
        let bearer = request
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        if bearer != Some(self.rules.credential) {
            return Some(StatusCode::UNAUTHORIZED);
        }
        if let Some(limit) = &self.limit
            && !lock(limit).admit(Instant::now())
        {
            return Some(StatusCode::TOO_MANY_REQUESTS);
        }
        let mut chance = lock(&self.chance);
        (chance.f64() < self.error_rate).then(|| {
            [
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::INTERNAL_SERVER_ERROR,
                StatusCode::BAD_GATEWAY,
                StatusCode::SERVICE_UNAVAILABLE,
            ][chance.usize(..4)]
        })
    }
}

/// Answers one call.
pub(crate) async fn handle(vendor: &impl Vendor, request: &Parts) -> Response<Body> {
    let gate = vendor.gate();
    gate.log.record(request.uri.path_and_query().map_or_else(String::new, ToString::to_string));

    // Counted on arrival, however long the answer takes.
    let refusal = gate.refusal(request);
    let fault = lock(&gate.faults).pop_front();
    let stall = match fault {
        Some(Fault::Stall(stall)) => stall,
        _ => Duration::ZERO,
    };
    let wait = gate.latency + stall;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }

    let path = request.uri.path();
    let answer = match refusal {
        Some(status) => {
            let mut answer = vendor.error(status, path);
            if status == StatusCode::TOO_MANY_REQUESTS
                && let Some(seconds) = gate.rules.retry_after
            {
                answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
            }
            answer
        }
        None => vendor.route(request),
    };
    match fault {
        Some(fault) => fault.spoil(answer, |status| vendor.error(status, path)),
        None => answer.map(Body::from),
    }
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    // The sandbox's bodies have string keys only, which is all that could fail.
    let mut answer = Answer::new(serde_json::to_vec(body).unwrap_or_default().into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
