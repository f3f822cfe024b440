//! Problems of requests that reach no handler, and of handlers that panic.

use std::any::Any;

use axum::{
    http::{Method, Uri},
    response::{IntoResponse, Redirect, Response},
};

use super::{Code, Problem};

/// Responds to a request for an unknown route: redirects a path with a trailing
/// slash to the path without it, with the query.
pub(crate) async fn unknown_route(uri: Uri) -> Response {
    match without_trailing_slash(&uri) {
        Some(target) => Redirect::permanent(&target).into_response(),
        None => {
            Problem::new(Code::NotFound, "there is no such route; `GET /openapi.json` lists the routes").into_response()
        }
    }
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

/// Returns the target without the trailing slashes of its path. `None` without
/// trailing slashes, and if a browser would read the rest as the address of
/// another host (WHATWG URL, "relative slash state": `//` and `/\`).
fn without_trailing_slash(uri: &Uri) -> Option<String> {
    let path = uri.path().strip_suffix('/')?.trim_end_matches('/');
    let is_local = path.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\']));
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    is_local.then(|| format!("{path}{query}"))
}
