//! Problems of each operation, grouped by status, with an example per code.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, example::Example},
};

use crate::web::problem::Code;

/// Problems of every operation.
const ANY: &[Code] = &[
    Code::MalformedRequest,
    Code::UriTooLong,
    Code::ContentTooLarge,
    Code::HeadersTooLarge,
    Code::Internal,
    Code::DeadlineExceeded,
];
/// Problems of operations with authentication.
const AUTHENTICATED: &[Code] =
    &[Code::Unauthenticated, Code::QuotaExceeded, Code::IdentityUnavailable, Code::Overloaded];
/// Problems of operations with a query string.
const QUERY: &[Code] = &[Code::InvalidParameter, Code::UnknownParameter, Code::RepeatedParameter];
/// Problems of operations with permissions.
const PERMISSION: &[Code] = &[Code::Forbidden];
/// Problems of lists.
const LIST: &[Code] =
    &[Code::UnsupportedFilter, Code::OrderTooExpensive, Code::InvalidCursor, Code::CursorMismatch, Code::CursorExpired];
/// Problems of vendor calls.
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
    /// Problems of `GET /customers`.
    ListCustomersProblems: ANY, AUTHENTICATED, QUERY, PERMISSION, LIST, VENDOR,
        &[Code::ConnectionNotFound, Code::CustomerNotFound];
    /// Problems of `GET /customers/{id}`.
    GetCustomerProblems: ANY, AUTHENTICATED, QUERY, PERMISSION, VENDOR,
        &[Code::UnsupportedFilter, Code::ConnectionNotFound, Code::CustomerNotFound];
    /// Problems of `GET /transactions`.
    ListTransactionsProblems: ANY, AUTHENTICATED, QUERY, PERMISSION, LIST, VENDOR,
        &[Code::ConnectionNotFound, Code::CustomerNotFound, Code::UnsupportedOperation];
    /// Problems of `GET /customers/{id}/transactions`.
    ListCustomerTransactionsProblems: ANY, AUTHENTICATED, QUERY, PERMISSION, LIST, VENDOR,
        &[Code::ConnectionNotFound, Code::CustomerNotFound, Code::UnsupportedOperation];
    /// Problems of `GET /explain/customers`.
    ExplainCustomersProblems: ANY, AUTHENTICATED, QUERY, PERMISSION, LIST, &[Code::ConnectionNotFound];
    /// Problems of `GET /explain/transactions`.
    ExplainTransactionsProblems: ANY, AUTHENTICATED, QUERY, PERMISSION, LIST,
        &[Code::ConnectionNotFound, Code::CustomerNotFound, Code::UnsupportedOperation];
    /// Problems of `GET /connections`.
    ListConnectionsProblems: ANY, AUTHENTICATED;
    /// Problems of `GET /connections/{name}`.
    GetConnectionProblems: ANY, AUTHENTICATED, &[Code::ConnectionNotFound];
    /// Problems of `POST /connections/{name}/sync`.
    StartSyncProblems: ANY, AUTHENTICATED, PERMISSION, &[Code::ConnectionNotFound, Code::NotSynced];
    /// Problems of `DELETE /cache`.
    PurgeProblems: ANY, AUTHENTICATED, QUERY, PERMISSION, &[Code::ConnectionNotFound, Code::CustomerNotFound];
    /// Problems of `GET /problems/{code}`.
    GetProblemProblems: ANY, &[Code::NotFound];
    /// Problems of `GET /readyz`.
    GetReadinessProblems: ANY, &[Code::NotReady];
    /// Problems of the other public operations.
    PublicProblems: ANY;
}

/// Returns one response per status of the codes.
fn responses(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<StatusCode, Vec<Code>>::new();
    // The codes of a status are listed in the order of the table.
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
    // Responses have the first media type. Generators such as progenitor support
    // only the second.
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content().examples_from_iter(examples).build())
        .content("application/json", content().build())
        .build()
}
