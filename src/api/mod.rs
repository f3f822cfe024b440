//! The HTTP face: routes, parameters, problems, headers.
//!
//! The only place that knows status codes. Routes and the OpenAPI document are
//! declared together, so that they cannot drift.

mod access;
mod asset;
mod caching;
mod connections;
mod customers;
mod docs;
mod edge;
mod explain;
mod export;
mod front;
mod health;
mod lists;
mod observe;
mod openapi;
mod overload;
mod page;
mod parameters;
mod preference;
mod problem;
mod purge;
mod query;
mod sources;
mod span;
mod transactions;

use std::{sync::Arc, time::Duration};

use axum::{Router, middleware};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    clock::SharedClock,
    directory::Directory,
    telemetry::{metrics::Registry, trace::Tracer},
};
pub use access::Callers;
use edge::RequestLayer;
pub use front::{ResponseCache, ResponseCacheBody};
pub use health::Readiness;
use observe::Observer;
pub use openapi::{document, document_3_0};
pub use overload::ConcurrencyLimit;

/// What the routes work with.
#[derive(Clone)]
pub struct ApiState {
    /// The connections.
    pub directory: Arc<Directory>,
    /// Who may ask.
    pub callers: Callers,
    /// Where everything is counted.
    pub registry: Registry,
    /// Where spans go.
    pub tracer: Tracer,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How many requests are worked on at once.
    pub places: ConcurrencyLimit,
    /// Whether the gateway takes requests.
    pub readiness: Readiness,
    /// What time it is.
    pub clock: SharedClock,
}

/// All routes, with everything around them.
pub fn router(state: ApiState) -> Router {
    let observer = Observer::new(state.registry.clone(), state.tracer.clone(), state.clock.clone());
    let edge = RequestLayer { timeout: state.request_timeout, observer };
    let routes = contracted().split_for_parts().0.merge(docs::routes());
    routes
        .layer(middleware::from_fn_with_state(state.places.clone(), overload::shed))
        .layer(middleware::from_fn_with_state(state.clone(), access::authenticate))
        .fallback(problem::unknown_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(
            // From the outside in: every answer leaves with its request's id
            // and as a problem document if it is one; a panic becomes one.
            ServiceBuilder::new()
                .layer(middleware::from_fn_with_state(edge, edge::edge))
                .layer(CatchPanicLayer::custom(problem::panicked)),
        )
        .with_state(state)
}

/// The routes of the contract.
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
        .routes(routes!(purge::purge_cache))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(problem::page::get_problem))
        .routes(routes!(openapi::get_openapi))
        .routes(routes!(openapi::get_openapi_3_0))
}
