//! `GET /problems/{code}`: pages that explain the problem codes.

use axum::{
    extract::RawPathParams,
    response::{Html, IntoResponse, Response},
};

use crate::{
    api::{openapi::problems::GetProblemProblems, parameters::path_id},
    web::problem::{Code, Problem},
};

/// Get a problem description
///
/// Returns an HTML page that describes a kind of problem and its remedy.
#[utoipa::path(
    get,
    path = "/problems/{code}",
    operation_id = "getProblem",
    tag = "Operations",
    params(("code" = String, Path, description = "The `code` of a problem.", example = "invalid_parameter")),
    responses(
        (status = 200, description = "The description of the problem and its remedy.", body = String, content_type = "text/html"),
        GetProblemProblems,
    )
)]
pub(crate) async fn get_problem(path: RawPathParams) -> Response {
    match Code::from_name(path_id(&path)) {
        Some(code) => Html(page(code)).into_response(),
        None => Problem::new(Code::NotFound, "there is no such problem code")
            .supported(Code::ALL.iter().map(|code| code.name()))
            .into_response(),
    }
}

fn page(code: Code) -> String {
    let (name, title, help, status) = (code.name(), code.title(), html(code.help()), code.status());
    let retry =
        if code.retryable() { "The same request may succeed later." } else { "Repeating the request does not help." };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{name}</title>\n\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}</style>\n\
         <h1>{title}</h1>\n<p><code>{name}</code>, HTTP {status}</p>\n<p>{help}</p>\n<p>{retry}</p>\n"
    )
}

/// Converts a help text to HTML: escapes placeholders and marks up backticks.
/// The texts contain no other HTML syntax.
fn html(text: &str) -> String {
    let escaped = text.replace('<', "&lt;").replace('>', "&gt;");
    let parts = escaped.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}
