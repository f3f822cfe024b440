//! `GET /docs`: interactive API reference, to which `/` redirects.
//!
//! The page uses Scalar, whose script is embedded in the gateway. The page loads
//! nothing from other origins: its configuration disables Scalar's external
//! features, and its `Content-Security-Policy` blocks features that a later
//! Scalar may add.
//!
//! These routes are not in the OpenAPI document, because no client needs them.

use std::sync::OnceLock;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, header::CONTENT_SECURITY_POLICY};
use serde_json::{Map, Value, json};

use crate::{
    api::state::ApiState,
    web::{
        asset::{Asset, Lifetime},
        problem::{Code, Problem},
    },
};

/// Content security policy: the page may only load from and send to the gateway.
const POLICY: HeaderValue = HeaderValue::from_static(concat!(
    "default-src 'none'; ",
    // No inline scripts and no eval. Scalar reads its configuration from an
    // attribute of the page.
    "script-src 'self'; ",
    // Scalar's script creates style elements and attributes.
    "style-src 'unsafe-inline'; ",
    // The OpenAPI document, and test requests of the reader.
    "connect-src 'self'; ",
    // Icons in style sheets, and the icon of the page.
    "img-src data:; ",
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
));

/// The page and its files: Scalar's script and the displayed document.
struct Page {
    html: Asset,
    files: [File; 2],
}

impl Page {
    /// Returns the page, which is built on first use.
    fn get(document: &str) -> &'static Self {
        static PAGE: OnceLock<Page> = OnceLock::new();
        PAGE.get_or_init(|| Self::new(document))
    }

    fn new(document: &str) -> Self {
        let script = scalar_api_reference::get_asset("scalar.js").unwrap_or_default();
        let script = File::new("scalar", "js", Asset::new(script, "text/javascript; charset=utf-8", Lifetime::Forever));
        let document = Asset::new(displayed_document(document), "application/json", Lifetime::Forever);
        let document = File::new("openapi", "json", document);
        let html = include_str!("page.html")
            .replace("{script}", &format!("/docs/{}", script.name))
            .replace("{document}", &format!("/docs/{}", document.name));
        let html = Asset::new(html, "text/html; charset=utf-8", Lifetime::UntilChanged);
        Self { html, files: [script, document] }
    }
}

/// An asset with a hash of its content in its name.
struct File {
    name: String,
    asset: Asset,
}

impl File {
    fn new(stem: &str, extension: &str, asset: Asset) -> Self {
        Self { name: format!("{stem}-{}.{extension}", asset.hash()), asset }
    }
}

/// Returns the routes of the page and its files. All are public.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/", get(async || Redirect::temporary("/docs")))
        .route("/docs", get(page))
        .route("/docs/{file}", get(file))
}

async fn page(State(state): State<ApiState>, headers: HeaderMap) -> Response {
    let mut response = Page::get(&state.documents.v3_1).html.respond(&headers).await;
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}

async fn file(State(state): State<ApiState>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match Page::get(&state.documents.v3_1).files.iter().find(|file| file.name == name) {
        Some(file) => file.asset.respond(&headers).await,
        None => Problem::new(Code::NotFound, "there is no such file; `/docs` loads the current files").into_response(),
    }
}

/// Disables optional parameters in Scalar's test requests. Scalar sends every
/// parameter with an example, and no connection supports all parameters.
fn displayed_document(document: &str) -> String {
    let mut document: Value = serde_json::from_str(document).unwrap_or_default();
    let paths =
        document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(|paths| paths.values_mut());
    let operations = paths.filter_map(Value::as_object_mut).flat_map(|path| path.values_mut());
    let parameters = operations.filter_map(|operation| operation.get_mut("parameters")?.as_array_mut()).flatten();
    for parameter in parameters.filter_map(Value::as_object_mut).filter(|parameter| !is_enabled(parameter)) {
        if let Some(example) = parameter.remove("example") {
            parameter.insert("examples".to_owned(), json!({"default": {"value": example, "x-disabled": true}}));
        }
    }
    document.to_string()
}

/// Returns whether a test request initially contains a parameter: a required
/// parameter, or a parameter that every connection supports.
fn is_enabled(parameter: &Map<String, Value>) -> bool {
    let is_required = parameter.get("required").is_some_and(|required| required == true);
    is_required || parameter.get("name").is_some_and(|name| name == "connection" || name == "limit")
}
