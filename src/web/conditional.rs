//! Conditional requests: representations with an `ETag`, and 304 for
//! `If-None-Match` (RFC 9110, section 13).

use axum::{body::Body, response::Response};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK, VARY},
};

use crate::{directory::Freshness, web::middleware::record::ResponseOrigin};

use super::{
    body_parts::BodyParts,
    coding::{self, AcceptedCodings, ContentCoding, EncodedBody},
    freshness::FreshnessHeaders,
    list_value::elements,
};

/// `Vary` of lists and customers. The connections depend on the caller, the
/// media type on `Accept`, the coding on `Accept-Encoding`, and skipped connections on
/// `Prefer`.
pub(crate) const VARIES_BY: HeaderValue = HeaderValue::from_static("authorization, accept, accept-encoding, prefer");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Body of a response with its hash and freshness.
pub(crate) struct Representation {
    /// JSON body.
    pub(crate) body: BodyParts,
    /// Hash of the body, or of everything that determines the body.
    pub(crate) hash: blake3::Hash,
    /// Value of `Link`, for a page of a list.
    pub(crate) links: Option<HeaderValue>,
    /// Freshness; `None` if the response must not be cached.
    pub(crate) freshness: Option<Freshness>,
}

/// Response that may be repeated while its pages are fresh. Attached to the
/// response's extensions for `ResponseCache`.
#[derive(Debug, Clone)]
pub(crate) struct CacheableResponse {
    pub(crate) body: EncodedBody,
    pub(crate) tag: HeaderValue,
    pub(crate) links: Option<HeaderValue>,
    pub(crate) freshness: Freshness,
}

/// Responds to a request with a representation in the preferred coding. Attaches
/// the origin and, if all pages are fresh cache hits, the cacheable response.
pub(crate) async fn respond(request: &HeaderMap, representation: Representation) -> Response {
    let Representation { body, hash, links, freshness } = representation;
    let accepted = AcceptedCodings::new(request);
    let is_hit = freshness.as_ref().is_some_and(|freshness| freshness.status.is_fresh_hit());
    // The encoders and the response cache require the body as one part.
    let (body, encoded) = if is_hit || accepted.for_length(body.len() as u64).is_some() {
        let encoded = coding::encode(accepted, body.join()).await;
        (encoded.bytes.clone().into(), Some(encoded))
    } else {
        (body, None)
    };
    let coding = encoded.as_ref().and_then(|encoded| encoded.coding);
    let tag = coding::entity_tag(&hash.to_hex()[..32], coding);
    let origin = freshness.as_ref().map(ResponseOrigin::from);
    let freshness_headers = freshness.as_ref().map(|it| FreshnessHeaders::new(it.age, &it.status));
    let is_match = etag_matches(request, &tag);
    let headers = headers(is_match, coding, tag.clone(), links.clone(), freshness_headers);
    let mut response = build_response(is_match, body, headers).map(Body::new);
    if let Some(origin) = origin {
        response.extensions_mut().insert(origin);
    }
    if let (Some(freshness), Some(body)) = (freshness.filter(|_| is_hit), encoded) {
        response.extensions_mut().insert(CacheableResponse { body, tag, links, freshness });
    }
    response
}

/// Builds a 200 response with a body, or a 304 if the request's tag matches.
pub(crate) fn build_response<B: Default>(is_match: bool, body: B, headers: HeaderMap) -> http::Response<B> {
    let mut response = http::Response::new(if is_match { B::default() } else { body });
    if is_match {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    *response.headers_mut() = headers;
    response
}

/// Returns the headers of a 200 response, or of a 304.
pub(crate) fn headers(
    is_match: bool,
    coding: Option<ContentCoding>,
    tag: HeaderValue,
    links: Option<HeaderValue>,
    freshness: Option<FreshnessHeaders>,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    if !is_match {
        headers.insert(CONTENT_TYPE, JSON);
        if let Some(links) = links {
            headers.insert(LINK, links);
        }
        if let Some(coding) = coding {
            headers.insert(CONTENT_ENCODING, coding.header_value());
        }
    }
    headers.insert(VARY, VARIES_BY);
    headers.insert(ETAG, tag);
    match freshness {
        Some(freshness) => freshness.insert(&mut headers),
        None => {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
    headers
}

/// Returns whether the request's `If-None-Match` contains a tag, by weak
/// comparison (RFC 9110, sections 8.8.3.2 and 13.1.2). A malformed tag matches
/// nothing and costs no other tag.
pub(crate) fn etag_matches(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let Ok(tag) = tag.to_str() else { return false };
    let known: Vec<_> = elements(request, IF_NONE_MATCH).collect();
    known == ["*"] || known.iter().any(|known| opaque(known) == opaque(tag))
}

/// Returns a tag without the mark of a weak tag.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}
