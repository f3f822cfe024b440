//! `Link` (RFC 8288): neighbours of a page, and descriptions of a response.

use http::{HeaderValue, Uri};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use super::freshness::header_value;

/// Maximum length of the value with more links than `next`. With the other headers,
/// the response then fits into the 8 KiB that proxies reserve by default.
const MAX_LENGTH: usize = 4 << 10;
/// Path of the OpenAPI document.
const OPENAPI: &str = "/openapi.json";
/// Characters of a received target that a URI reference must not contain (RFC 3986,
/// appendix A). Escapes are kept.
const NOT_IN_TARGET: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');
/// Characters of a cursor that are escaped: all but the unreserved ones (RFC 3986,
/// section 2.3).
const NOT_IN_CURSOR: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns the links of a page: `next`, `prev`, `first` and `describedby`. The
/// references are relative to the origin and repeat the parameters of the request.
///
/// A value over `MAX_LENGTH` bytes lacks the last links that do not fit. `next` is
/// never left out, because its absence means the end of the list.
pub(crate) fn page_links(target: &Uri, next: Option<&str>, prev: Option<&str>) -> HeaderValue {
    let page = |cursor| page_reference(target, cursor);
    let mut value = next.map(|cursor| link(&page(Some(cursor)), "next")).unwrap_or_default();
    let others = [
        prev.map(|cursor| link(&page(Some(cursor)), "prev")),
        Some(link(&page(None), "first")),
        Some(link(OPENAPI, "describedby")),
    ];
    for other in others.into_iter().flatten() {
        let separator = if value.is_empty() { "" } else { ", " };
        if value.len() + separator.len() + other.len() <= MAX_LENGTH {
            value = value + separator + &other;
        }
    }
    header_value(&value)
}

/// Returns the link to the document that describes a response.
pub(crate) fn described_by(reference: &str) -> HeaderValue {
    header_value(&link(reference, "describedby"))
}

fn link(reference: &str, relation: &str) -> String {
    format!("<{reference}>; rel=\"{relation}\"")
}

/// Returns the target with another cursor, or without one.
fn page_reference(target: &Uri, cursor: Option<&str>) -> String {
    let pairs = target.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !is_cursor(pair));
    let mut pairs: Vec<_> = pairs.map(|pair| utf8_percent_encode(pair, NOT_IN_TARGET).to_string()).collect();
    pairs.extend(cursor.map(|cursor| format!("cursor={}", utf8_percent_encode(cursor, NOT_IN_CURSOR))));
    let path = utf8_percent_encode(target.path(), NOT_IN_TARGET);
    if pairs.is_empty() { path.to_string() } else { format!("{path}?{}", pairs.join("&")) }
}

fn is_cursor(pair: &str) -> bool {
    form_urlencoded::parse(pair.as_bytes()).next().is_some_and(|(name, _)| name == "cursor")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(target: &str, next: Option<&str>, prev: Option<&str>) -> String {
        page_links(&target.parse().unwrap(), next, prev).to_str().unwrap().to_owned()
    }

    #[test]
    fn parameters_are_repeated_and_escaped() {
        assert_eq!(
            links("/customers?name=a%20b&c%75rsor=x&email={a}|&&cursor=y", Some("n+/="), Some("p")),
            "</customers?name=a%20b&email=%7Ba%7D%7C&cursor=n%2B%2F%3D>; rel=\"next\", \
             </customers?name=a%20b&email=%7Ba%7D%7C&cursor=p>; rel=\"prev\", \
             </customers?name=a%20b&email=%7Ba%7D%7C>; rel=\"first\", </openapi.json>; rel=\"describedby\""
        );
        assert_eq!(
            links("/customers?cursor=x", None, None),
            "</customers>; rel=\"first\", </openapi.json>; rel=\"describedby\""
        );
    }

    #[test]
    fn long_value_keeps_the_next_link() {
        let cursor = "c".repeat(2048);
        let both = links("/customers", Some(&cursor), Some(&cursor));
        assert!(both.len() <= MAX_LENGTH && both.contains("\"next\"") && !both.contains("\"prev\""), "{both}");
        assert!(both.contains("\"first\"") && both.contains("\"describedby\""), "{both}");
        let long = format!("/customers?email={}", "e".repeat(5000));
        let value = links(&long, Some(&cursor), None);
        assert!(value.contains("\"next\"") && !value.contains("\"first\""), "{value}");
    }
}
