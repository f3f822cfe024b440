//! Request head, read once for the response cache.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Version};

use crate::{
    api::body::export::Format,
    web::{
        coding::AcceptedCodings,
        middleware::request::{MAX_HEADERS, MAX_TARGET, is_host},
    },
};

/// Facts of a request that a cached response may answer.
#[derive(Debug)]
pub(super) struct HitRequest<'r> {
    /// Path and query.
    pub(super) target: &'r str,
    /// All headers.
    pub(super) headers: &'r HeaderMap,
    /// First `Authorization` header.
    pub(super) authorization: Option<&'r HeaderValue>,
    /// First `X-Request-Id` header.
    pub(super) id: Option<&'r HeaderValue>,
    /// Accepted content codings.
    pub(super) codings: AcceptedCodings,
    /// True if the request has an `If-None-Match` header.
    pub(super) has_condition: bool,
    /// True if the request names a trace.
    pub(super) has_trace: bool,
}

impl<'r> HitRequest<'r> {
    /// Reads a request. `None` if the router must answer the request: unless it is a
    /// `GET` without a body, cache directives, preferences or an export format, and
    /// within all limits. With `allows_origins`, the router also answers requests of
    /// pages of other origins.
    pub(super) fn read<B>(request: &'r Request<B>, allows_origins: bool) -> Option<Self>
    where
        B: http_body::Body<Data = Bytes>,
    {
        let target = request.uri().path_and_query()?.as_str();
        if request.method() != Method::GET || !request.body().is_end_stream() || target.len() > MAX_TARGET {
            return None;
        }
        let headers = request.headers();
        let mut read = Self {
            target,
            headers,
            authorization: None,
            id: None,
            codings: AcceptedCodings::default(),
            has_condition: false,
            has_trace: false,
        };
        let (mut bytes, mut hosts, mut has_codings) = (0, 0, false);
        for (name, value) in headers {
            bytes += name.as_str().len() + value.len();
            match name.as_str() {
                "host" if is_host(value) => hosts += 1,
                "host" | "cache-control" | "prefer" => return None,
                "origin" if allows_origins => return None,
                "accept" if Format::may_match(value) => return None,
                "accept-encoding" => has_codings = true,
                "authorization" => read.authorization = read.authorization.or(Some(value)),
                "if-none-match" => read.has_condition = true,
                "traceparent" => read.has_trace = true,
                "x-request-id" => read.id = read.id.or(Some(value)),
                _ => {}
            }
        }
        // HTTP/2 has `:authority` instead, and HTTP/1.0 requires no host.
        let has_valid_host = hosts == 1 || hosts == 0 && request.version() != Version::HTTP_11;
        if bytes > MAX_HEADERS || !has_valid_host {
            return None;
        }
        if has_codings {
            read.codings = AcceptedCodings::new(headers);
        }
        Some(read)
    }
}
