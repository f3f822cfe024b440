//! Traits of the service that answers requests.

use std::convert::Infallible;

use axum::BoxError;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;

/// A service that answers every request and never fails.
pub trait HttpService<B>: Clone + Send + Sync + 'static {
    /// State that the service keeps for one connection. It may outlive the service.
    type Connection: Default + Send + 'static;
    /// Future of a response that is not ready.
    type Future: Future<Output = Result<Response<B>, Infallible>> + Send + 'static;

    /// Answers a request.
    fn respond(&self, request: Request<Incoming>, connection: &mut Self::Connection) -> Responding<B, Self::Future>;
}

/// Ready response, or the future of a response. A ready response needs no pending guard.
#[derive(Debug)]
pub enum Responding<B, F> {
    /// The response.
    Ready(Response<B>),
    /// Future of the response.
    Pending(F),
}

/// A response body that the server can send.
pub trait ResponseBody: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static {}

impl<B> ResponseBody for B where B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static {}
