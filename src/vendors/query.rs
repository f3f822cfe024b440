//! Percent-encoding of vendor paths and queries.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All characters except RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Size of a usual query in bytes.
const USUAL_BYTES: usize = 256;

/// Query builder. Names are written unchanged, because `expand[]` must keep its
/// brackets. Values are percent-encoded.
#[derive(Debug, Default)]
pub(super) struct Query(String);

impl Query {
    /// Appends a parameter.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        if self.0.is_empty() {
            self.0.reserve(USUAL_BYTES);
        } else {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, RESERVED));
    }

    /// Returns the query, without the question mark.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Returns a path whose last segment is a percent-encoded id.
///
/// Returns `None` for an empty id and for `.` and `..`. URL parsers resolve the
/// latter two even if they are percent-encoded.
pub(super) fn path_with_id(prefix: &str, id: &str) -> Option<String> {
    match id {
        "" | "." | ".." => None,
        id => Some(format!("{prefix}/{}", utf8_percent_encode(id, RESERVED))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_percent_encoded() {
        let mut query = Query::default();
        query.push("expand[]", "partner");
        query.push("name", "a+b/c=d&e% é");
        let written = query.finish();
        assert_eq!(written, "expand[]=partner&name=a%2Bb%2Fc%3Dd%26e%25%20%C3%A9");
    }

    #[test]
    fn id_cannot_leave_its_path_segment() {
        assert_eq!(path_with_id("/v1/customers", "a/../b").as_deref(), Some("/v1/customers/a%2F..%2Fb"));
        assert_eq!(path_with_id("/v1/customers", ".."), None);
    }
}
