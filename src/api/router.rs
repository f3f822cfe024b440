//! The router: every layer a request passes, and every route with its part of
//! the OpenAPI document.

use std::sync::LazyLock;

use axum::{Router, middleware};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::web::{
    middleware::{
        load_shed,
        observe::Observer,
        request::{self, RequestLayer},
    },
    problem,
};

use super::{
    ApiState, Documents, auth, openapi as contract,
    routes::{cache, connections, customers, docs, explain, health, openapi, problems, transactions},
};

/// Builds the router. A request passes these layers, outermost first:
///
/// 1. `ResponseCache` (in front of the router) answers repeated requests whose pages are all fresh.
/// 2. `request` assigns the request id, opens the span, enforces size limits and the deadline,
///    writes the problem document and the log line. Outermost: every response needs an id.
/// 3. `CatchPanic` turns a panic into a problem. Inside `request`: the problem needs the id.
/// 4. `authenticate` identifies the caller and charges its quota. Before the limit: a rejected
///    caller must not hold a permit.
/// 5. `load_shed` takes a concurrency permit or answers 503. Last: only accepted work counts.
pub fn router(state: ApiState) -> Router {
    let observer = Observer::new(state.registry.clone(), state.tracer.clone(), state.clock.clone());
    let layer = RequestLayer { timeout: state.request_timeout, observer };
    contracted()
        .split_for_parts()
        .0
        .merge(docs::routes())
        .layer(middleware::from_fn_with_state(state.concurrency.clone(), load_shed::shed))
        .layer(middleware::from_fn_with_state(state.callers.clone(), auth::authenticate))
        .fallback(problem::unknown_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn_with_state(layer, request::handle))
                .layer(CatchPanicLayer::custom(problem::panicked)),
        )
        .with_state(state)
}

/// Returns the OpenAPI documents of the contract. They are built at first use.
#[must_use]
pub fn documents() -> &'static LazyLock<Documents> {
    static DOCUMENTS: LazyLock<Documents> = LazyLock::new(|| contract::build(contracted().into_openapi()));
    &DOCUMENTS
}

/// The routes of the contract, each with its part of the document.
fn contracted() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(customers::list_customers))
        .routes(routes!(customers::get_customer))
        .routes(routes!(transactions::list_transactions))
        .routes(routes!(transactions::list_customer_transactions))
        .routes(routes!(explain::explain_customers))
        .routes(routes!(explain::explain_transactions))
        .routes(routes!(connections::list_connections))
        .routes(routes!(connections::get_connection))
        .routes(routes!(cache::purge_cache))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(problems::get_problem))
        .routes(routes!(openapi::get_openapi))
        .routes(routes!(openapi::get_openapi_3_0))
}
