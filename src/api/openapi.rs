//! The OpenAPI document, made from the routes.

use std::sync::LazyLock;

use axum::response::Response;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components, SecurityRequirement,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::domain::question::{Expansion, Order};

use super::{docs, page, parameters::Include};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Customer gateway",
        description = docs::INTRODUCTION,
    ),
    tags(
        (name = "Customers", description = "Customers of every vendor, in one schema."),
        (name = "Transactions", description = "Their transactions, where the vendor has them."),
        (name = "Connections", description = "What each connection can be asked."),
        (name = "Operations", description = "Health and documentation; no key needed."),
    ),
    components(schemas(Order, Expansion, Include)),
    modifiers(&BearerKey),
)]
struct Document;

/// Callers show a key.
struct BearerKey;

impl Modify for BearerKey {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        openapi.components.get_or_insert_with(Components::new).add_security_scheme("key", scheme);
        openapi.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    }
}

static JSON: LazyLock<String> = LazyLock::new(|| {
    let mut document = Document::openapi();
    for mut router in [super::resources(), super::operations()] {
        document.merge(router.to_openapi());
    }
    document.to_pretty_json().unwrap_or_default()
});

/// The OpenAPI 3.1 document, as JSON.
#[must_use]
pub fn document() -> &'static str {
    &JSON
}

/// Get the OpenAPI document
///
/// The contract that clients are generated from.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenapi",
    tag = "Operations",
    responses((status = 200, description = "The document.", body = utoipa::openapi::Object, content_type = "application/json")),
)]
pub(super) async fn get_openapi() -> Response {
    page::json(document())
}
