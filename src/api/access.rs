//! Who asks, and what they may ask.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};

use crate::config::Caller;

use super::{
    ApiState,
    problem::{Code, Problem},
};

/// What the caller of a request may ask.
#[derive(Debug, Clone)]
pub(super) enum Access {
    /// Everything: no callers are configured.
    Everything,
    /// What this caller may.
    Caller(Arc<Caller>),
}

impl Access {
    /// Whether a connection exists for this caller.
    pub(super) fn allows(&self, connection: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Caller(caller) => caller.connections.iter().any(|name| name.as_str() == connection),
        }
    }

    /// Whether the caller may purge what is kept.
    pub(super) fn may_purge(&self) -> bool {
        match self {
            Self::Everything => true,
            Self::Caller(caller) => caller.may_purge,
        }
    }
}

/// Lets a request pass that carries a known key.
pub(super) async fn authenticate(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    match access(&state, &request) {
        Ok(access) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn access(state: &ApiState, request: &Request) -> Result<Access, Problem> {
    let place = caller(&state.callers, request.headers())?;
    Ok(state.callers.get(place).map_or(Access::Everything, |caller| Access::Caller(Arc::clone(caller))))
}

/// The place of a request's caller in the configuration; 0 where no callers
/// are configured.
pub(super) fn caller(callers: &[Arc<Caller>], headers: &HeaderMap) -> Result<usize, Problem> {
    if callers.is_empty() {
        return Ok(0);
    }
    let refuse = |detail| Problem::new(Code::Unauthenticated, detail);
    let header = headers.get(AUTHORIZATION).ok_or_else(|| refuse("there is no `Authorization` header"))?;
    let (scheme, key) = header.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refuse("the `Authorization` header is not `Bearer <key>`"));
    }
    // `blake3::Hash` compares in constant time.
    let digest = blake3::hash(key.trim().as_bytes());
    let place = callers.iter().position(|caller| caller.key_digest == digest);
    place.ok_or_else(|| refuse("the key is not known here"))
}

impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let access = parts.extensions.get::<Self>().cloned();
        access.ok_or_else(|| Problem::new(Code::Internal, "the route was reached without authentication"))
    }
}
