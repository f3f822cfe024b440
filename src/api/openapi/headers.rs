//! The headers that requests and responses carry, for the document.

use serde_json::{Value, json};
use utoipa::{
    IntoParams, IntoResponses,
    openapi::{
        Components, Header, Ref, RefOr, Response,
        header::HeaderBuilder,
        schema::{ObjectBuilder, Type},
    },
};

/// The headers of a request that fresher or fewer bytes may be asked with.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the headers are read by `caching`")]
pub(crate) struct CachingHeaders {
    /// The `ETag` of an earlier answer: if it still holds, the answer is 304
    /// without a body.
    #[param(rename = "If-None-Match", nullable = false, example = "\"3a5fa0b1c2d3e4f50617283940a1b2c3\"")]
    if_none_match: Option<String>,
    /// What may be answered from the cache (RFC 9111, section 5.2.1):
    /// `no-cache`, `no-store`, `max-age`, `max-stale` and `only-if-cached` are
    /// honoured. A caller may ask for fresher than the gateway is set to, never
    /// for longer.
    #[param(rename = "Cache-Control", nullable = false, example = "max-age=5")]
    cache_control: Option<String>,
}

/// The header of a request that would rather have less than be refused.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the header is read by `preference`")]
pub(crate) struct PreferenceHeaders {
    /// `handling=lenient` leaves out connections that cannot honour the question
    /// instead of refusing it; they say `skipped` in `sources` (RFC 7240).
    #[param(rename = "Prefer", nullable = false, example = "handling=lenient")]
    prefer: Option<String>,
}

/// The answer to a caller that has the answer already.
#[derive(IntoResponses)]
#[response(status = 304, description = "The answer is the one that `If-None-Match` names; it has no body")]
pub(crate) struct NotModified;

/// A header of responses, and which carry it.
struct HeaderSpec {
    name: &'static str,
    description: &'static str,
    schema_type: Type,
    example: fn() -> Value,
    carried: AppliesTo,
}

#[derive(Clone, Copy)]
enum AppliesTo {
    /// By every response.
    Always,
    /// By those of an operation that answers `If-None-Match`.
    Cacheable,
    /// By responses of these statuses.
    On(&'static [&'static str]),
    /// By answers to requests that may prefer something.
    Preferring,
}

const DECLARED: &[HeaderSpec] = &[
    HeaderSpec {
        name: "X-Request-Id",
        description: "The request's id: the one that the request carried, or a new one. It stands in the gateway's log and in every problem document.",
        schema_type: Type::String,
        example: || json!("019aa8a5-6f3c-7d5e-9f10-2b1c3d4e5f60"),
        carried: AppliesTo::Always,
    },
    HeaderSpec {
        name: "ETag",
        description: "Identifies the body (RFC 9110, section 8.8.3); send it as `If-None-Match` to be told whether it still holds.",
        schema_type: Type::String,
        example: || json!("\"3a5fa0b1c2d3e4f50617283940a1b2c3\""),
        carried: AppliesTo::Cacheable,
    },
    HeaderSpec {
        name: "Age",
        description: "For how many seconds the gateway has held the oldest of the vendor's answers behind this one.",
        schema_type: Type::Integer,
        example: || json!(12),
        carried: AppliesTo::Cacheable,
    },
    HeaderSpec {
        name: "Cache-Control",
        description: "For how many seconds from its making the answer is fresh, and that it is yours alone. Compare with `Age`.",
        schema_type: Type::String,
        example: || json!("private, max-age=30"),
        carried: AppliesTo::Cacheable,
    },
    HeaderSpec {
        name: "Cache-Status",
        description: "How the cache had part in the answer (RFC 9211): `hit`, or `fwd` with the reason why the vendor was asked.",
        schema_type: Type::String,
        example: || json!("customer-gateway; hit; ttl=18"),
        carried: AppliesTo::Cacheable,
    },
    HeaderSpec {
        name: "Preference-Applied",
        description: "What was done of the request's `Prefer`: `handling=lenient`, or absent.",
        schema_type: Type::String,
        example: || json!("handling=lenient"),
        carried: AppliesTo::Preferring,
    },
    HeaderSpec {
        name: "WWW-Authenticate",
        description: "How to show a key: `Bearer`.",
        schema_type: Type::String,
        example: || json!("Bearer"),
        carried: AppliesTo::On(&["401"]),
    },
    HeaderSpec {
        name: "Retry-After",
        description: "In how many seconds to come back.",
        schema_type: Type::Integer,
        example: || json!(2),
        carried: AppliesTo::On(&["429", "502", "503"]),
    },
];

/// What of an operation decides which headers its responses carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperationTraits {
    /// Whether it answers `If-None-Match`.
    pub(crate) is_cacheable: bool,
    /// Whether it reads `Prefer`.
    pub(crate) may_prefer: bool,
}

/// Declares all headers as components.
pub(crate) fn declare(components: &mut Components) {
    components.headers.extend(DECLARED.iter().map(|header| (header.name.to_owned(), RefOr::T(header.header()))));
}

/// Refers to the headers that a response carries.
pub(crate) fn refer(response: &mut Response, status: &str, operation: OperationTraits) {
    let is_success = matches!(status, "200" | "304");
    let carried = DECLARED.iter().filter(|header| match header.carried {
        AppliesTo::Always => true,
        AppliesTo::Cacheable => operation.is_cacheable && is_success,
        AppliesTo::On(statuses) => statuses.contains(&status),
        AppliesTo::Preferring => operation.may_prefer && is_success,
    });
    response.headers.extend(carried.map(|header| {
        let reference = Ref::new(format!("#/components/headers/{}", header.name));
        (header.name.to_owned(), RefOr::Ref(reference))
    }));
}

impl HeaderSpec {
    fn header(&self) -> Header {
        HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(self.schema_type.clone()).build()))
            .description(Some(self.description))
            .example(Some((self.example)()))
            .build()
    }
}
