//! Writing vendors' paths and queries.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A query in the making. Names are ours and written as they are, so that
/// `expand[]` keeps its brackets; values are percent-encoded.
#[derive(Debug, Default)]
pub(super) struct Query(String);

impl Query {
    /// Appends a parameter.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, RESERVED));
    }

    /// The query without its question mark.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A path's last segment, percent-encoded; `None` for an empty one and for `.`
/// and `..`, which no encoding keeps a URL parser from resolving.
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
    fn values_survive_whatever_they_hold() {
        let mut query = Query::default();
        query.push("expand[]", "partner");
        query.push("name", "a+b/c=d&e% é");
        let written = query.finish();
        assert_eq!(written, "expand[]=partner&name=a%2Bb%2Fc%3Dd%26e%25%20%C3%A9");
    }

    #[test]
    fn an_id_never_climbs_out_of_its_path() {
        assert_eq!(path_with_id("/v1/customers", "a/../b").as_deref(), Some("/v1/customers/a%2F..%2Fb"));
        assert_eq!(path_with_id("/v1/customers", ".."), None);
    }
}
