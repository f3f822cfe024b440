//! Problems of requests that reach no handler, and of handlers that panic.

use std::any::Any;

use axum::{
    http::Method,
    response::{IntoResponse, Response},
};

use super::{Code, Problem};

/// Responds to a request for an unknown route.
pub(crate) async fn unknown_route() -> Problem {
    Problem::new(Code::NotFound, "there is no such route; `GET /openapi.json` lists the routes")
}

/// Responds to a request with a method that the route does not support.
pub(crate) async fn wrong_method(method: Method) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("this route does not support {method}"))
}

/// Responds to a request whose handler panicked. The response omits the panic
/// message, which may contain secrets.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::new(Code::Internal, "the gateway failed to process the request").into_response()
}
