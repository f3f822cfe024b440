//! Steps before a vendor's routes: request log, credential, rate limit and faults.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use axum::body::Body;
use http::{
    HeaderValue, Response, StatusCode,
    header::{AUTHORIZATION, RETRY_AFTER},
    request::Parts,
};
use tokio::time::Instant;

use super::{Fault, Options, lie::Lies, limit::RateLimit, lock::lock, log::RequestLog, vendor::Vendor};

/// State that every call to one vendor passes, and its controls.
#[derive(Debug)]
pub struct Gate {
    pub(crate) log: RequestLog,
    pub(crate) lies: Lies,
    settings: Settings,
    latency: Duration,
    error_rate: f64,
    error_rng: Mutex<fastrand::Rng>,
    limit: Option<Mutex<RateLimit>>,
    faults: Mutex<VecDeque<Fault>>,
}

/// Gate settings of one vendor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) credential: &'static str,
    pub(crate) requests_per_second: usize,
    /// `Retry-After` header of a 429.
    pub(crate) retry_after: Option<&'static str>,
}

impl Gate {
    pub(crate) fn new(options: &Options, settings: Settings) -> Self {
        let limit = || Mutex::new(RateLimit::new(settings.requests_per_second));
        Self {
            log: RequestLog::default(),
            lies: Lies::default(),
            settings,
            latency: options.latency,
            error_rate: options.error_rate,
            error_rng: Mutex::new(fastrand::Rng::with_seed(options.seed)),
            limit: options.enforce_rate_limits.then(limit),
            faults: Mutex::default(),
        }
    }

    pub(crate) fn credential(&self) -> &'static str {
        self.settings.credential
    }

    pub(crate) fn fail_next(&self, n: usize, fault: Fault) {
        lock(&self.faults).extend(std::iter::repeat_n(fault, n));
    }

    /// Returns the status of a rejected request, or none if the request is admitted.
    fn rejection(&self, request: &Parts) -> Option<StatusCode> {
        let bearer = request
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        if bearer != Some(self.credential()) {
            return Some(StatusCode::UNAUTHORIZED);
        }
        if let Some(limit) = &self.limit
            && !lock(limit).admit(Instant::now())
        {
            return Some(StatusCode::TOO_MANY_REQUESTS);
        }
        let mut rng = lock(&self.error_rng);
        (rng.f64() < self.error_rate).then(|| {
            [
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::INTERNAL_SERVER_ERROR,
                StatusCode::BAD_GATEWAY,
                StatusCode::SERVICE_UNAVAILABLE,
            ][rng.usize(..4)]
        })
    }
}

/// Handles one request.
pub(crate) async fn handle(vendor: &impl Vendor, request: &Parts) -> Response<Body> {
    let gate = vendor.gate();
    gate.log.record(request.uri.path_and_query().map_or_else(String::new, ToString::to_string));

    // The rate limit counts a request on arrival, before any delay.
    let rejection = gate.rejection(request);
    let fault = lock(&gate.faults).pop_front();
    let stall = match fault {
        Some(Fault::Stall(stall)) => stall,
        _ => Duration::ZERO,
    };
    let delay = gate.latency + stall;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }

    let path = request.uri.path();
    let response = match rejection {
        Some(status) => {
            let mut response = vendor.error(status, path);
            if status == StatusCode::TOO_MANY_REQUESTS
                && let Some(seconds) = gate.settings.retry_after
            {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
            }
            response
        }
        None => vendor.route(request),
    };
    match fault {
        Some(fault) => fault.apply(response, |status| vendor.error(status, path)),
        None => response.map(Body::from),
    }
}
