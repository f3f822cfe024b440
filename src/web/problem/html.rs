//! Problems as HTML pages, for people with a browser.

use headers_accept::Accept;
use http::{HeaderMap, header::ACCEPT};
use mediatype::{MediaType, Name, names};

use crate::web::list_value::elements;

use super::{Code, ProblemDocument};

const PROBLEM: Name<'static> = Name::new_unchecked("problem");

/// Media types of a problem, in order of preference among equal weights.
const MEDIA_TYPES: [MediaType<'static>; 3] = [
    MediaType::from_parts(names::APPLICATION, PROBLEM, Some(names::JSON), &[]),
    MediaType::new(names::APPLICATION, names::JSON),
    MediaType::new(names::TEXT, names::HTML),
];

/// Content security policy of the pages: no scripts, and nothing is loaded.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                                 form-action 'none'; frame-ancestors 'none'";

/// Returns whether a request prefers a page to a JSON document, as browsers do
/// (RFC 9110, section 12.5.1).
pub(crate) fn is_preferred(request: &HeaderMap) -> bool {
    let ranges: Vec<_> = elements(request, ACCEPT).collect();
    let accept: Result<Accept, _> = ranges.join(",").parse();
    accept.is_ok_and(|accept| accept.negotiate(&MEDIA_TYPES).is_some_and(|preferred| preferred.subty == names::HTML))
}

/// Returns the page that describes a kind of problem.
pub(crate) fn describe(code: Code) -> String {
    let mut others: Vec<_> = Code::ALL.iter().filter(|other| **other != code).copied().map(link).collect();
    others.sort();
    let retry = retry(code);
    let help = marked_up(code.help());
    let others = others.join(", ");
    page(code, &format!("<p>{help}</p>\n<p>{retry}</p>\n<p>Other problems: {others}.</p>\n{API_REFERENCE}\n"))
}

impl ProblemDocument<'_> {
    /// Returns the page of this occurrence of a problem.
    pub(super) fn html(&self, code: Code) -> String {
        let mut lines =
            vec![format!("<p>{}</p>", marked_up(self.detail)), format!("<p>{}</p>", marked_up(code.help()))];
        let facts =
            [("Parameter", self.parameter), ("Connection", self.connection), ("Request", Some(self.request_id))];
        let facts = facts.iter().filter_map(|(name, value)| Some(format!("<p>{name}: {}</p>", code_of((*value)?))));
        lines.extend(facts);
        if let Some(supported) = self.supported {
            let supported: Vec<_> = supported.iter().map(|value| code_of(value)).collect();
            lines.push(format!("<p>Supported: {}</p>", supported.join(", ")));
        }
        if let Some(vendor) = self.vendor {
            let texts = [vendor.code.as_deref(), vendor.message.as_deref()];
            let texts: Vec<_> = texts.into_iter().flatten().map(code_of).collect();
            lines.push(format!("<p>The vendor's error: HTTP {} {}</p>", vendor.status, texts.join(" ")));
        }
        lines.push(format!("<p>{}</p>", retry(code)));
        lines.push(format!("<p>About this problem: {}.</p>", link(code)));
        lines.push(API_REFERENCE.to_owned());
        page(code, &(lines.join("\n") + "\n"))
    }
}

const API_REFERENCE: &str = "<p><a href=\"/docs\">API reference</a></p>";

fn page(code: Code, content: &str) -> String {
    let (name, title, status) = (code.name(), code.title(), code.status());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{name}</title>\n\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}\
         code{{overflow-wrap:anywhere}}</style>\n\
         <h1>{title}</h1>\n<p><code>{name}</code>, HTTP {status}</p>\n{content}"
    )
}

fn retry(code: Code) -> &'static str {
    if code.retryable() { "The same request may succeed later." } else { "Repeating the request does not help." }
}

fn link(code: Code) -> String {
    format!("<a href=\"{}\"><code>{}</code></a>", code.page(), code.name())
}

fn code_of(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// Converts a text to HTML: escapes it and marks up backticks.
fn marked_up(text: &str) -> String {
    let escaped = escaped(text);
    let parts = escaped.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

/// Escapes a text for the content of an element. A caller or a vendor may have
/// written parts of the text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
