//! `Link` (RFC 8288): neighbours of a page, and descriptions of a response.

use http::{HeaderValue, Uri};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::freshness::header_value;

/// Maximum length of the value with more links than `next`. With the other headers,
/// the response then fits into the 8 KiB that proxies reserve by default.
const MAX_LENGTH: usize = 4 << 10;
/// Length of a usual value.
const USUAL_LENGTH: usize = 512;
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
    let page = PageReference::new(target);
    let mut value = String::with_capacity(USUAL_LENGTH);
    if next.is_some() {
        push_link(&mut value, |value| page.push(value, next), "next");
    }
    let mut push_if_short = |push: &dyn Fn(&mut String), relation| {
        let length = value.len();
        push_link(&mut value, push, relation);
        // Removes a link that does not fit.
        if value.len() > MAX_LENGTH {
            value.truncate(length);
        }
    };
    if prev.is_some() {
        push_if_short(&|value| page.push(value, prev), "prev");
    }
    push_if_short(&|value| page.push(value, None), "first");
    push_if_short(&|value| value.push_str(OPENAPI), "describedby");
    header_value(&value)
}

/// Returns the link to the document that describes a response.
pub(crate) fn described_by(reference: &str) -> HeaderValue {
    let mut value = String::new();
    push_link(&mut value, |value| value.push_str(reference), "describedby");
    header_value(&value)
}

/// Appends a link with the reference that `push` appends.
fn push_link(value: &mut String, push: impl Fn(&mut String), relation: &str) {
    value.push_str(if value.is_empty() { "<" } else { ", <" });
    push(value);
    value.push_str(">; rel=\"");
    value.push_str(relation);
    value.push('"');
}

/// Target of a request without its cursor.
struct PageReference {
    reference: String,
    has_query: bool,
}

impl PageReference {
    fn new(target: &Uri) -> Self {
        let mut page = Self { reference: String::with_capacity(USUAL_LENGTH), has_query: false };
        page.reference.extend(utf8_percent_encode(target.path(), NOT_IN_TARGET));
        let pairs = target.query().unwrap_or_default().split('&');
        for pair in pairs.filter(|pair| !pair.is_empty() && !is_cursor(pair)) {
            page.reference.push(if page.has_query { '&' } else { '?' });
            page.reference.extend(utf8_percent_encode(pair, NOT_IN_TARGET));
            page.has_query = true;
        }
        page
    }

    /// Appends the target with another cursor, or without one.
    fn push(&self, value: &mut String, cursor: Option<&str>) {
        value.push_str(&self.reference);
        if let Some(cursor) = cursor {
            value.push_str(if self.has_query { "&cursor=" } else { "?cursor=" });
            value.extend(utf8_percent_encode(cursor, NOT_IN_CURSOR));
        }
    }
}

fn is_cursor(pair: &str) -> bool {
    let name = pair.split_once('=').map_or(pair, |(name, _)| name);
    // Usual names have no escapes.
    name == "cursor" || (name.contains('%') && percent_decode_str(name).decode_utf8_lossy() == "cursor")
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
