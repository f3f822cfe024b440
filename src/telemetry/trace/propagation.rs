//! Trace propagation: `traceparent` and `tracestate` (W3C Trace Context).

use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{TraceContextExt, TraceState},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Maximum length of a forwarded `tracestate` (section 3.3.1.5). A vendor may
/// reject a longer value, and other requests may wait for the same call.
const MAX_TRACESTATE: usize = 512;

/// Trace headers of a caller, unmodified.
#[derive(Debug)]
struct Received {
    traceparent: HeaderValue,
    tracestate: Option<HeaderValue>,
}

/// Extracts the trace context of a request. Malformed headers are ignored.
pub(super) fn extract(request: &HeaderMap) -> Context {
    match Received::read(request) {
        None => Context::new(),
        Some(received) => {
            TraceContextPropagator::new().extract_with_context(&Context::new(), &received).with_value(received)
        }
    }
}

/// Adds trace headers to a request. Without a span of the gateway, the caller's
/// headers are forwarded unmodified.
pub fn inject(context: &Context, request: &mut HeaderMap) {
    let is_callers = context.span().span_context().is_remote();
    match context.get::<Received>().filter(|_| is_callers) {
        None => TraceContextPropagator::new().inject_context(context, &mut HeaderInjector(request)),
        Some(Received { traceparent, tracestate }) => {
            request.insert(TRACEPARENT, traceparent.clone());
            if let Some(tracestate) = tracestate {
                request.insert(TRACESTATE, tracestate.clone());
            }
        }
    }
}

impl Received {
    fn read(request: &HeaderMap) -> Option<Self> {
        let mut parents = request.get_all(TRACEPARENT).iter();
        let traceparent = parents.next().filter(|parent| is_traceparent(parent.as_bytes()))?.clone();
        if parents.next().is_some() {
            return None;
        }
        let states: Vec<_> = request.get_all(TRACESTATE).iter().map(HeaderValue::as_bytes).collect();
        let tracestate = HeaderValue::from_bytes(&states.join(&b',')).ok().filter(is_tracestate);
        Some(Self { traceparent, tracestate })
    }
}

/// Returns whether a value has the form of section 3.2.2: `00-<32 digits>-<16>-<2>`.
/// Later versions may append fields. The propagator accepts more forms.
fn is_traceparent(value: &[u8]) -> bool {
    let is_well_formed = |(index, byte): (usize, &u8)| match index {
        2 | 35 | 52 => *byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    let Some((head, rest)) = value.split_at_checked(55) else { return false };
    head.iter().enumerate().all(is_well_formed) && (rest.is_empty() || (rest[0] == b'-' && !head.starts_with(b"00")))
}

fn is_tracestate(value: &HeaderValue) -> bool {
    let state = value.to_str().ok().filter(|state| !state.is_empty() && state.len() <= MAX_TRACESTATE);
    state.is_some_and(|state| TraceState::from_str(state).is_ok())
}

impl Extractor for Received {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => self.traceparent.to_str().ok(),
            "tracestate" => self.tracestate.as_ref()?.to_str().ok(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

/// Request headers as an injection target. An empty `tracestate` is omitted.
struct HeaderInjector<'r>(&'r mut HeaderMap);

impl Injector for HeaderInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value), false) = (name, HeaderValue::from_str(&value), value.is_empty()) {
            self.0.insert(name, value);
        }
    }
}
