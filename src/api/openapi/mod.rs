//! The OpenAPI document, made from the routes.

mod conventions;
mod examples;
pub(super) mod headers;
mod v3_0;

use std::sync::LazyLock;

use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components, SecurityRequirement,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::domain::query::Order;

use super::{
    access,
    asset::{Asset, Lifetime},
    docs,
    parameters::{CustomerExpansion, Include, Partial, TransactionExpansion},
    problem::{ProblemDocument, documented::OpenProblems},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Customer gateway",
        description = docs::INTRODUCTION,
    ),
    servers((url = "/", description = "The gateway that serves this document.")),
    tags(
        (name = "Customers", description = "Customers of every vendor, in one schema."),
        (name = "Transactions", description = "Their transactions, where the vendor has them."),
        (name = "Explain", description = "What a question would cost, and how it would be answered; no vendor is asked."),
        (name = "Connections", description = "What each connection can be asked."),
        (name = "Operations", description = "Health, metrics, the cache, and the contract itself."),
    ),
    components(schemas(Order, CustomerExpansion, TransactionExpansion, Include, Partial, ProblemDocument)),
    modifiers(&BearerKey),
)]
struct Document;

/// Callers show a key.
struct BearerKey;

impl Modify for BearerKey {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description =
            Some("The caller's key, as the operator gave it, or a token (JWT) of the identity provider that the gateway is configured with: `Authorization: Bearer <key or token>`.".to_owned());
        let components = openapi.components.get_or_insert_with(Components::new);
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
        openapi.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    }
}

/// The document and its down-conversion.
static DOCUMENTS: LazyLock<[String; 2]> = LazyLock::new(|| {
    let document = document_value();
    [document.clone(), v3_0::convert(document)].map(|value| format!("{value:#}"))
});

static ASSETS: LazyLock<[Asset; 2]> = LazyLock::new(|| {
    [document(), document_3_0()].map(|text| Asset::new(text, "application/json", Lifetime::UntilChanged))
});

/// The OpenAPI 3.1 document, as JSON.
#[must_use]
pub fn document() -> &'static str {
    &DOCUMENTS[0]
}

/// The same as OpenAPI 3.0.3, for generators that read no newer one.
#[must_use]
pub fn document_3_0() -> &'static str {
    &DOCUMENTS[1]
}

fn document_value() -> Value {
    let mut document = Document::openapi();
    document.merge(super::contracted().into_openapi());
    for (_, item) in document.paths.paths.iter_mut().filter(|(path, _)| access::is_public(path)) {
        conventions::of_path(item).for_each(|operation| operation.security = Some(Vec::new()));
    }
    conventions::apply(&mut document);
    examples::add(&mut document);
    let mut document = serde_json::to_value(document).unwrap_or_default();
    hint_at_paging(&mut document);
    document
}

/// Says how to page, for the makers of whole SDKs.
fn hint_at_paging(document: &mut Value) {
    let operations = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in operations.filter_map(|path| path.get_mut("get")) {
        // An explanation takes a cursor too, and has no pages.
        let pages = operation["responses"]["304"].is_object()
            && operation["parameters"].as_array().into_iter().flatten().any(|it| it["name"] == "cursor");
        if pages {
            operation["x-speakeasy-pagination"] = json!({
                "type": "cursor",
                "inputs": [{"name": "cursor", "in": "parameters", "type": "cursor"}],
                "outputs": {"results": "$.data", "nextCursor": "$.page.next_cursor"},
            });
            operation["x-fern-pagination"] = json!({
                "cursor": "$request.cursor",
                "next_cursor": "$response.page.next_cursor",
                "results": "$response.data",
            });
        }
    }
}

/// Get the OpenAPI document
///
/// OpenAPI 3.1: the contract that clients are generated from.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenapi",
    tag = "Operations",
    responses((status = 200, description = "The document.", body = utoipa::openapi::Object, content_type = "application/json"), OpenProblems),
)]
pub(super) async fn get_openapi(headers: HeaderMap) -> Response {
    ASSETS[0].answer(&headers).await
}

/// Get the OpenAPI document as 3.0.3
///
/// The same contract, for generators that do not read OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi-3.0.json",
    operation_id = "getOpenapi30",
    tag = "Operations",
    responses((status = 200, description = "The document.", body = utoipa::openapi::Object, content_type = "application/json"), OpenProblems),
)]
pub(super) async fn get_openapi_3_0(headers: HeaderMap) -> Response {
    ASSETS[1].answer(&headers).await
}
