//! Headers of requests and responses.

use serde_json::{Value, json};
use utoipa::{
    IntoParams, IntoResponses,
    openapi::{
        Components, Header, Ref, RefOr, Response,
        header::HeaderBuilder,
        path::Operation,
        schema::{ObjectBuilder, Type},
    },
};

/// The request headers that control caching.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `web` reads the headers")]
pub(crate) struct CachingHeaders {
    /// The `ETag` of a previous response. If the body has not changed, the
    /// response is a 304 without a body.
    #[param(rename = "If-None-Match", nullable = false, example = "\"3a5fa0b1c2d3e4f50617283940a1b2c3\"")]
    if_none_match: Option<String>,
    /// Directives for the use of cached responses (RFC 9111, section 5.2.1):
    /// `no-cache`, `no-store`, `max-age`, `max-stale` and `only-if-cached`. The
    /// directives can require fresher responses than the gateway's configuration,
    /// but not permit older ones.
    #[param(rename = "Cache-Control", nullable = false, example = "max-age=5")]
    cache_control: Option<String>,
}

/// The request header with preferences.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "schema of the OpenAPI document; `web::prefer` reads the header")]
pub(crate) struct PreferenceHeaders {
    /// `handling=lenient` skips connections that do not support a parameter,
    /// instead of rejecting the request (RFC 7240). Their status in `sources` is
    /// `skipped`.
    #[param(rename = "Prefer", nullable = false, example = "handling=lenient")]
    prefer: Option<String>,
}

/// Response to a conditional request whose `ETag` matches.
#[derive(IntoResponses)]
#[response(
    status = 304,
    description = "The body has not changed since the response with the `ETag` in `If-None-Match`."
)]
pub(crate) struct NotModified;

/// Specification of a response header.
struct HeaderSpec {
    name: &'static str,
    description: &'static str,
    schema_type: Type,
    example: fn() -> Value,
    applies_to: AppliesTo,
}

/// Responses with a header.
#[derive(Clone, Copy)]
enum AppliesTo {
    /// Every response.
    All,
    /// Every response with a body.
    Bodies,
    /// Pages of lists, and problems.
    Linked,
    /// Every response of operations that require authentication.
    Authenticated,
    /// Successful responses of operations that support `If-None-Match`.
    Cacheable,
    /// Responses with one of these statuses.
    Statuses(&'static [&'static str]),
    /// Successful responses of operations that support `Prefer`.
    Preferring,
    /// Retryable problems, and pages, whose connections may fail one by one.
    Retryable,
    /// Successful responses of operations that support exports.
    Exporting,
}

const HEADERS: &[HeaderSpec] = &[
    HeaderSpec {
        name: "X-Request-Id",
        description: "The id of the request: the id that the request contained, or a new id. The gateway's log and every problem document contain the same id.",
        schema_type: Type::String,
        example: || json!("019aa8a5-6f3c-7d5e-9f10-2b1c3d4e5f60"),
        applies_to: AppliesTo::All,
    },
    HeaderSpec {
        name: "Content-Encoding",
        description: "The content coding of the body: `zstd`, `br` or `gzip`, as `Accept-Encoding` requests. Absent for a body below 1 KiB.",
        schema_type: Type::String,
        example: || json!("zstd"),
        applies_to: AppliesTo::Bodies,
    },
    HeaderSpec {
        name: "Vary",
        description: "The request headers that the response depends on (RFC 9110, section 12.5.5).",
        schema_type: Type::String,
        example: || json!("authorization, accept, accept-encoding, prefer"),
        applies_to: AppliesTo::All,
    },
    HeaderSpec {
        name: "ETag",
        description: "An identifier of the body in its content coding (RFC 9110, section 8.8.3). Send the value as `If-None-Match` to detect changes.",
        schema_type: Type::String,
        example: || json!("\"3a5fa0b1c2d3e4f50617283940a1b2c3\""),
        applies_to: AppliesTo::Cacheable,
    },
    HeaderSpec {
        name: "Age",
        description: "The time in seconds since the oldest vendor response for this response was fetched.",
        schema_type: Type::Integer,
        example: || json!(12),
        applies_to: AppliesTo::Cacheable,
    },
    HeaderSpec {
        name: "Cache-Control",
        description: "On lists and customers, the freshness lifetime in seconds; always `private`. Compare with `Age`. Other responses must not be stored (`no-store`), except documents.",
        schema_type: Type::String,
        example: || json!("private, max-age=30"),
        applies_to: AppliesTo::All,
    },
    HeaderSpec {
        name: "Cache-Status",
        description: "The use of the cache (RFC 9211): `hit`, or `fwd` with the reason for the vendor call.",
        schema_type: Type::String,
        example: || json!("customer-gateway; hit; ttl=18"),
        applies_to: AppliesTo::Cacheable,
    },
    HeaderSpec {
        name: "Link",
        description: "Links relative to the gateway (RFC 8288). On a page: `next`, `prev` and `first`, and the OpenAPI document as `describedby`. On a problem: the page that describes it as `describedby`.",
        schema_type: Type::String,
        example: || {
            json!(
                "</customers?limit=20&cursor=Aq24gvkONDlK>; rel=\"next\", </customers?limit=20>; rel=\"first\", </openapi.json>; rel=\"describedby\""
            )
        },
        applies_to: AppliesTo::Linked,
    },
    HeaderSpec {
        name: "RateLimit-Policy",
        description: "Your quota (draft-ietf-httpapi-ratelimit-headers): `q` requests in `w` seconds. Absent if you have no quota.",
        schema_type: Type::String,
        example: || json!("\"quota\";q=100;w=60"),
        applies_to: AppliesTo::Authenticated,
    },
    HeaderSpec {
        name: "RateLimit",
        description: "The state of your quota: `r` requests are admitted now, and more in `t` seconds. Absent if you have no quota.",
        schema_type: Type::String,
        example: || json!("\"quota\";r=42;t=1"),
        applies_to: AppliesTo::Authenticated,
    },
    HeaderSpec {
        name: "Preference-Applied",
        description: "The applied preference, `handling=lenient`. Absent if the request has no such preference.",
        schema_type: Type::String,
        example: || json!("handling=lenient"),
        applies_to: AppliesTo::Preferring,
    },
    HeaderSpec {
        name: "Content-Disposition",
        description: "The file name of an export (RFC 6266). Absent for a page.",
        schema_type: Type::String,
        example: || json!("attachment; filename=\"customers.csv\""),
        applies_to: AppliesTo::Exporting,
    },
    HeaderSpec {
        name: "WWW-Authenticate",
        description: "The authentication scheme, `Bearer` (RFC 6750). If the request has a key or token, `error` is `invalid_token`, and `error_description` gives the reason.",
        schema_type: Type::String,
        example: || json!("Bearer error=\"invalid_token\", error_description=\"the key is unknown\""),
        applies_to: AppliesTo::Statuses(&["401"]),
    },
    HeaderSpec {
        name: "Retry-After",
        description: "The time in seconds to wait before a retry. On a page, the time to wait before the next page, because a connection failed.",
        schema_type: Type::Integer,
        example: || json!(2),
        applies_to: AppliesTo::Retryable,
    },
];

/// Traits of an operation that determine the headers of its responses.
#[derive(Debug)]
pub(crate) struct OperationTraits(Vec<OperationTrait>);

/// Trait of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OperationTrait {
    /// The operation supports `If-None-Match`.
    Cacheable,
    /// The operation returns pages.
    Paged,
    /// The operation requires authentication.
    Authenticated,
    /// The operation supports `Prefer`.
    Preferring,
    /// The operation supports exports.
    Exporting,
}

impl OperationTraits {
    /// Returns the traits of an operation.
    pub(crate) fn new(operation: &Operation) -> Self {
        let has_parameter = |name: &str| {
            let mut parameters = operation.parameters.iter().flatten();
            parameters
                .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name.eq_ignore_ascii_case(name)))
        };
        let is_cacheable = operation.responses.responses.contains_key("304");
        let traits = [
            (OperationTrait::Cacheable, is_cacheable),
            // `GET /explain/…` accepts a cursor but returns no page.
            (OperationTrait::Paged, is_cacheable && has_parameter("cursor")),
            // Public operations override the document's security.
            (OperationTrait::Authenticated, operation.security.is_none()),
            (OperationTrait::Preferring, has_parameter("prefer")),
            (OperationTrait::Exporting, has_parameter("marks")),
        ];
        Self(traits.into_iter().filter(|(_, applies)| *applies).map(|(operation_trait, _)| operation_trait).collect())
    }

    fn has(&self, operation_trait: OperationTrait) -> bool {
        self.0.contains(&operation_trait)
    }
}

/// Declares all response headers as components.
pub(crate) fn declare(components: &mut Components) {
    components.headers.extend(HEADERS.iter().map(|spec| (spec.name.to_owned(), RefOr::T(spec.header()))));
}

/// Adds references to the headers of a response.
pub(crate) fn refer(response: &mut Response, status: &str, operation: &OperationTraits) {
    let is_success = matches!(status, "200" | "304");
    let specs = HEADERS.iter().filter(|spec| match spec.applies_to {
        AppliesTo::All => true,
        AppliesTo::Linked => {
            status.starts_with(['4', '5']) || (operation.has(OperationTrait::Paged) && status == "200")
        }
        AppliesTo::Authenticated => operation.has(OperationTrait::Authenticated),
        AppliesTo::Bodies => status != "304",
        AppliesTo::Cacheable => operation.has(OperationTrait::Cacheable) && is_success,
        AppliesTo::Statuses(statuses) => statuses.contains(&status),
        AppliesTo::Retryable => {
            matches!(status, "429" | "502" | "503" | "504")
                || (operation.has(OperationTrait::Preferring) && status == "200")
        }
        AppliesTo::Preferring => operation.has(OperationTrait::Preferring) && is_success,
        AppliesTo::Exporting => operation.has(OperationTrait::Exporting) && status == "200",
    });
    response.headers.extend(specs.map(|spec| {
        let reference = Ref::new(format!("#/components/headers/{}", spec.name));
        (spec.name.to_owned(), RefOr::Ref(reference))
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
