//! `GET /docs`: the contract as a page to read and try.
//!
//! Scalar shows it, from a script that is built into the gateway. Nothing on
//! the page is loaded from elsewhere: it is switched off in the page's
//! configuration, and what is switched on by a later Scalar is refused by the
//! browser, by the page's `Content-Security-Policy`.
//!
//! These routes are not in the contract: no client has a use for them.

use std::sync::OnceLock;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
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

/// What the page may load and send: from and to the gateway, nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(concat!(
    "default-src 'none'; ",
    // Neither inline scripts nor eval: Scalar reads its configuration from an
    // attribute of the page.
    "script-src 'self'; ",
    // Scalar brings its style as elements and attributes that its script makes.
    "style-src 'unsafe-inline'; ",
    // The contract, and the requests that the reader tries.
    "connect-src 'self'; ",
    // Icons within the style, and the page's own.
    "img-src data:; ",
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
));

/// The page and the files it loads: Scalar, and the document as Scalar should show it.
struct Page {
    html: Asset,
    files: [File; 2],
}

impl Page {
    /// Returns the page over the process's document.
    fn get(document: &str) -> &'static Self {
        static PAGE: OnceLock<Page> = OnceLock::new();
        PAGE.get_or_init(|| Self::new(document))
    }

    fn new(document: &str) -> Self {
        let script = scalar_api_reference::get_asset("scalar.js").unwrap_or_default();
        let script = File::new("scalar", "js", Asset::new(script, "text/javascript; charset=utf-8", Lifetime::Forever));
        let document = Asset::new(shown_document(document), "application/json", Lifetime::Forever);
        let document = File::new("openapi", "json", document);
        let html = include_str!("page.html")
            .replace("{script}", &format!("/docs/{}", script.name))
            .replace("{document}", &format!("/docs/{}", document.name));
        let html = Asset::new(html, "text/html; charset=utf-8", Lifetime::UntilChanged);
        Self { html, files: [script, document] }
    }
}

/// An asset whose name changes with its content.
struct File {
    name: String,
    asset: Asset,
}

impl File {
    fn new(stem: &str, extension: &str, asset: Asset) -> Self {
        Self { name: format!("{stem}-{}.{extension}", asset.hash()), asset }
    }
}

/// The page and what it loads. None needs a key.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new().route("/docs", get(page)).route("/docs/{file}", get(file))
}

async fn page(State(state): State<ApiState>, headers: HeaderMap) -> Response {
    let mut response = Page::get(&state.documents.v3_1).html.answer(&headers).await;
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}

async fn file(State(state): State<ApiState>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match Page::get(&state.documents.v3_1).files.iter().find(|file| file.name == name) {
        Some(file) => file.asset.answer(&headers).await,
        None => Problem::new(Code::NotFound, "there is no such file; `/docs` names those there are").into_response(),
    }
}

/// The contract, with its optional parameters left out of the reader's first
/// try: Scalar would send each that has an example, and no connection takes all
/// of them.
fn shown_document(document: &str) -> String {
    let mut document: Value = serde_json::from_str(document).unwrap_or_default();
    let paths =
        document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(|paths| paths.values_mut());
    let operations = paths.filter_map(Value::as_object_mut).flat_map(|path| path.values_mut());
    let parameters = operations.filter_map(|operation| operation.get_mut("parameters")?.as_array_mut()).flatten();
    for parameter in parameters.filter_map(Value::as_object_mut).filter(|parameter| !is_tried(parameter)) {
        if let Some(example) = parameter.remove("example") {
            parameter.insert("examples".to_owned(), json!({"default": {"value": example, "x-disabled": true}}));
        }
    }
    document.to_string()
}

/// Whether a first try needs a parameter, or any connection takes it.
fn is_tried(parameter: &Map<String, Value>) -> bool {
    let is_required = parameter.get("required").is_some_and(|required| required == true);
    is_required || parameter.get("name").is_some_and(|name| name == "connection" || name == "limit")
}
