//! OpenAPI document, assembled from the routes.

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
        parameters::{CustomerExpansion, DocumentedMarks, Include, Partial, TransactionExpansion},
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
        (name = "Customers", description = "Customers of all vendors, in one schema."),
        (name = "Transactions", description = "Transactions of customers, for vendors that have transactions."),
        (name = "Explain", description = "Vendor requests and cost of a list request, without a vendor call."),
        (name = "Connections", description = "Connections and the parameters that they support."),
        (name = "Operations", description = "Health, metrics, the cache and the API description."),
    ),
    components(schemas(Order, CustomerExpansion, TransactionExpansion, Include, DocumentedMarks, Partial, ProblemDocument)),
    modifiers(&BearerAuthentication),
)]
struct Document;

/// Adds the security scheme.
struct BearerAuthentication;

impl Modify for BearerAuthentication {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description =
            Some("A key from the operator, or a token (JWT) of the configured identity provider: `Authorization: Bearer <key or token>`.".to_owned());
        let components = openapi.components.get_or_insert_with(Components::new);
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
        openapi.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    }
}

/// Builds the documents from the routes' parts.
pub(crate) fn build(routes: utoipa::openapi::OpenApi) -> Documents {
    let document = complete(routes);
    Documents { v3_1: format!("{document:#}"), v3_0: format!("{:#}", v3_0::convert(document)) }
}

/// Adds the parts that attributes cannot express: security, conventions,
/// examples and pagination extensions.
fn complete(routes: utoipa::openapi::OpenApi) -> Value {
    let mut document = Document::openapi();
    document.merge(routes);
    for (_, item) in document.paths.paths.iter_mut().filter(|(path, _)| auth::is_public(path)) {
        conventions::path_operations(item).for_each(|operation| operation.security = Some(Vec::new()));
    }
    conventions::apply(&mut document);
    examples::add(&mut document);
    let mut document = serde_json::to_value(document).unwrap_or_default();
    add_pagination(&mut document);
    document
}

/// Describes the pagination for the SDK generators Speakeasy and Fern.
fn add_pagination(document: &mut Value) {
    let operations = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in operations.filter_map(|path| path.get_mut("get")) {
        // `GET /explain/…` accepts a cursor but returns no page.
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        let is_paged =
            operation["responses"]["304"].is_object() && parameters.any(|parameter| parameter["name"] == "cursor");
        if is_paged {
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
