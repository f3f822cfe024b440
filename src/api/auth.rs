//! Authentication of requests.

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{
    callers::{Access, Callers},
    telemetry::request::record_caller,
    web::{
        problem::{Code, Problem},
        rate_limit::QuotaSlot,
    },
};

/// Routes without authentication. Every other route requires a key or a token.
const PUBLIC_ROUTES: &[&str] = &[
    "/",
    "/livez",
    "/readyz",
    "/metrics",
    "/problems/{code}",
    "/openapi.json",
    "/openapi-3.0.json",
    "/docs",
    "/docs/{file}",
];

/// Extractor for the access rights of an authenticated request.
#[derive(Debug)]
pub(crate) struct Authorized(pub(crate) Access);

/// Returns whether a route requires no authentication.
pub(crate) fn is_public(route: &str) -> bool {
    PUBLIC_ROUTES.contains(&route)
}

/// Authenticates the request and charges the caller's quota. Requests for public
/// routes and for unknown routes pass through.
pub(crate) async fn authenticate(State(callers): State<Callers>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    if route.is_none_or(|route| is_public(route.as_str())) {
        return next.run(request).await;
    }
    let id = match callers.identify(request.headers()).await {
        Ok(id) => id,
        Err(error) => return Problem::from(error).into_response(),
    };
    let access = callers.access(id);
    if let Access::Caller(caller) = &access {
        record_caller(&caller.name);
    }
    let (quota, charged) = callers.charge(id, callers.elapsed());
    if let (Some(slot), Some(quota)) = (request.extensions().get::<QuotaSlot>(), quota) {
        slot.set(quota);
    }
    match charged {
        Ok(()) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        Err(error) => Problem::from(error).into_response(),
    }
}

impl<S: Sync> FromRequestParts<S> for Authorized {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let access = parts.extensions.get::<Access>().cloned();
        access.map(Self).ok_or_else(|| Problem::new(Code::Internal, "the route was reached without authentication"))
    }
}
