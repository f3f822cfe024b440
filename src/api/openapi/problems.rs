//! The problems that each operation may answer with, as the document shows
//! them: by status, the codes behind it, and an example of each.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, example::Example},
};

use crate::web::problem::Code;

/// What any request may meet.
const ANY: &[Code] = &[
    Code::MalformedRequest,
    Code::UriTooLong,
    Code::ContentTooLarge,
    Code::HeadersTooLarge,
    Code::Internal,
    Code::DeadlineExceeded,
];
/// What a request that needs a key may meet besides.
const KEYED: &[Code] = &[Code::Unauthenticated, Code::QuotaExceeded, Code::IdentityUnavailable, Code::Overloaded];
/// What may be wrong in a query.
const QUERY: &[Code] = &[Code::InvalidParameter, Code::UnknownParameter, Code::RepeatedParameter];
/// What a caller may want a right for.
const RIGHT: &[Code] = &[Code::Forbidden];
/// What may be wrong in the question of a list.
const LIST: &[Code] =
    &[Code::UnsupportedFilter, Code::OrderTooExpensive, Code::InvalidCursor, Code::CursorMismatch, Code::CursorExpired];
/// What may come of asking a vendor.
const VENDOR: &[Code] = &[
    Code::VendorRejected,
    Code::VendorUnauthorized,
    Code::VendorError,
    Code::VendorUnreadable,
    Code::VendorRateLimited,
    Code::VendorUnavailable,
    Code::NotCached,
];

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $($codes:expr),+;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(&[$($codes as &[Code]),+].concat())
            }
        }
    )+};
}

problems! {
    /// Of `GET /customers`.
    ListCustomersProblems: ANY, KEYED, QUERY, RIGHT, LIST, VENDOR, &[Code::ConnectionNotFound];
    /// Of `GET /customers/{id}`.
    GetCustomerProblems: ANY, KEYED, QUERY, RIGHT, VENDOR, &[Code::UnsupportedFilter, Code::CustomerNotFound];
    /// Of `GET /transactions`.
    ListTransactionsProblems: ANY, KEYED, QUERY, RIGHT, LIST, VENDOR,
        &[Code::ConnectionNotFound, Code::CustomerNotFound, Code::UnsupportedOperation];
    /// Of `GET /customers/{id}/transactions`.
    ListCustomerTransactionsProblems: ANY, KEYED, QUERY, RIGHT, LIST, VENDOR,
        &[Code::CustomerNotFound, Code::UnsupportedOperation];
    /// Of `GET /explain/customers`.
    ExplainCustomersProblems: ANY, KEYED, QUERY, RIGHT, LIST, &[Code::ConnectionNotFound];
    /// Of `GET /explain/transactions`.
    ExplainTransactionsProblems: ANY, KEYED, QUERY, RIGHT, LIST,
        &[Code::ConnectionNotFound, Code::CustomerNotFound, Code::UnsupportedOperation];
    /// Of `GET /connections`.
    ListConnectionsProblems: ANY, KEYED;
    /// Of `GET /connections/{name}`.
    GetConnectionProblems: ANY, KEYED, &[Code::ConnectionNotFound];
    /// Of `DELETE /cache`.
    PurgeProblems: ANY, KEYED, QUERY, RIGHT, &[Code::ConnectionNotFound, Code::CustomerNotFound];
    /// Of `GET /problems/{code}`.
    GetProblemProblems: ANY, &[Code::NotFound];
    /// Of `GET /readyz`.
    GetReadinessProblems: ANY, &[Code::NotReady];
    /// Of what else needs no key.
    OpenProblems: ANY;
}

/// A response for each status of some codes.
fn responses(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<StatusCode, Vec<Code>>::new();
    // In the table's order, whatever the sets'.
    for code in Code::ALL.iter().filter(|code| codes.contains(code)) {
        by_status.entry(code.status()).or_default().push(*code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.as_str().to_owned(), RefOr::T(response(status, &codes))))
        .collect()
}

fn response(status: StatusCode, codes: &[Code]) -> Response {
    let lines = codes.iter().map(|code| format!("- `{}`: {}", code.name(), code.title()));
    let reason = status.canonical_reason().unwrap_or_default();
    let description = format!("{reason}\n\n{}", lines.collect::<Vec<_>>().join("\n"));
    let examples = codes.iter().map(|code| {
        let example = Ref::new(format!("#/components/examples/{}", code.name()));
        (code.name(), RefOr::<Example>::Ref(example))
    });
    let content = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
    // Sent as the one; generators such as progenitor type only the other.
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content().examples_from_iter(examples).build())
        .content("application/json", content().build())
        .build()
}
