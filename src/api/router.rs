//! Router: the layers of a request, and the routes with their parts of the
//! OpenAPI document.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::web::{
    cors,
    middleware::{
        encode, load_shed,
        observe::Observer,
        request::{self, RequestLayer},
        unread,
    },
    problem,
};

use super::{
    ApiState, Documents, auth,
    openapi::build,
    routes::{cache, connections, customers, docs, explain, health, metrics, openapi, problems, transactions},
};

/// Builds the router. A request passes these layers, outermost first:
///
/// 1. `ResponseCache`, outside this router, answers a repeated request whose
///    cached pages are all fresh. First: a hit must not pay for routing.
/// 2. `cors`, if origins are configured, answers preflights, and lets pages of these
///    origins read responses. Outside `request`: a page must read each problem, and a
///    preflight is no request of a caller.
/// 3. `request` assigns the request id, enforces size limits and the deadline,
///    writes problem documents, and records the log line, metrics and span.
///    Outside all other layers: every response needs them.
/// 4. `CatchPanicLayer` turns a panic into a problem. Inside `request`, which
///    writes the document; outside the rest, which may panic.
/// 5. `authenticate` identifies the caller and charges the quota. Outside `shed`:
///    a rejected request must not take a permit.
/// 6. `limit` counts the response among the unread responses, or replaces it with
///    503. Inside `authenticate`: each caller has a part of the bound.
/// 7. `shed` takes a permit of the concurrency limit, or rejects the request
///    with 503. Only requests that reach a handler take a permit.
/// 8. `encode` applies the content coding. Innermost: `limit` and `shed` follow the
///    bytes that are sent. `request` encodes problem documents, which it writes.
///
/// Unknown routes and wrong methods pass `cors`, `request` and `CatchPanicLayer` only.
pub(crate) fn router(state: ApiState) -> Router {
    let observer = Observer::new(state.registry.clone(), state.tracer.clone(), state.clock.clone());
    let layer = RequestLayer { timeout: state.request_timeout, observer };
    let origins = state.cors_origins.clone();
    let router = documented_routes()
        .split_for_parts()
        .0
        .merge(docs::routes())
        .layer(middleware::from_fn_with_state(Arc::new(state.clone()), handle_inner))
        .fallback(problem::unknown_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn_with_state(layer, request::handle))
                .layer(CatchPanicLayer::custom(problem::panicked)),
        )
        .with_state(state);
    if origins.is_empty() { router } else { router.layer(cors::layer(&origins)) }
}

/// Passes a request through `authenticate`, `limit`, `shed` and `encode` to its route.
/// Calls of functions take fewer allocations than tower layers.
async fn handle_inner(State(state): State<Arc<ApiState>>, request: Request, next: Next) -> Response {
    let ApiState { callers, unread, concurrency, .. } = &*state;
    let encode = async |request| encode::encode(request, next).await;
    let shed = async |request| load_shed::shed(concurrency, request, encode).await;
    let limit = async |request| unread::limit(unread, request, shed).await;
    auth::authenticate(callers, request, limit).await
}

/// Returns the OpenAPI documents, which are built on first use.
#[must_use]
pub fn documents() -> &'static LazyLock<Documents> {
    static DOCUMENTS: LazyLock<Documents> = LazyLock::new(|| build(documented_routes().into_openapi()));
    &DOCUMENTS
}

/// Returns the routes of the OpenAPI document.
fn documented_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(customers::list_customers))
        .routes(routes!(customers::get_customer))
        .routes(routes!(transactions::list_transactions))
        .routes(routes!(transactions::list_customer_transactions))
        .routes(routes!(explain::explain_customers))
        .routes(routes!(explain::explain_transactions))
        .routes(routes!(connections::list_connections))
        .routes(routes!(connections::get_connection))
        .routes(routes!(connections::start_sync))
        .routes(routes!(cache::purge_cache))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::get_metrics))
        .routes(routes!(problems::get_problem))
        .routes(routes!(openapi::get_openapi))
        .routes(routes!(openapi::get_openapi_3_0))
}
