//! The OpenAPI document, made from the routes.

mod conventions;
mod examples;
pub(crate) mod headers;
pub(crate) mod problems;
mod v3_0;

use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components, SecurityRequirement,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::{
    api::{
        auth,
        parameters::{CustomerExpansion, Include, Partial, TransactionExpansion},
        state::Documents,
    },
    domain::query::Order,
    web::problem::ProblemDocument,
};

/// Introduction of the document and of `/docs`.
const INTRODUCTION: &str = include_str!("introduction.md");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Customer gateway",
        description = INTRODUCTION,
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

/// Builds the documents of the contract from the routes' parts.
pub(crate) fn build(routes: utoipa::openapi::OpenApi) -> Documents {
    let document = complete(routes);
    Documents { v3_1: format!("{document:#}"), v3_0: format!("{:#}", v3_0::convert(document)) }
}

/// Adds what attributes cannot say: security, conventions, examples, paging hints.
fn complete(routes: utoipa::openapi::OpenApi) -> Value {
    let mut document = Document::openapi();
    document.merge(routes);
    for (_, item) in document.paths.paths.iter_mut().filter(|(path, _)| auth::is_public(path)) {
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
