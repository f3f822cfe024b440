//! Elements of comma-separated header values (RFC 9110, section 5.6.1).

use http::{HeaderMap, HeaderName};

/// Returns the elements of all lines of a header. Lines that are not visible
/// ASCII are skipped.
pub(crate) fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| split(line, b',')).filter(|element| !element.is_empty())
}

/// Splits a value at separators outside of quoted strings, and trims the parts.
pub(crate) fn split(value: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = find_unquoted(text.as_bytes(), separator);
        rest = end.map(|end| &text[end + 1..]);
        Some(text[..end.unwrap_or(text.len())].trim())
    })
}

/// Returns the content of a token or a quoted string (RFC 9110, section 5.6.4).
pub(crate) fn unquote(value: &str) -> String {
    let value = value.trim();
    let Some(quoted) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut is_escaped = false;
    let is_content = |c: &char| {
        is_escaped = *c == '\\' && !is_escaped;
        !is_escaped
    };
    quoted.chars().filter(is_content).collect()
}

fn find_unquoted(text: &[u8], separator: u8) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.iter().position(|&byte| {
        if is_escaped {
            is_escaped = false;
            return false;
        }
        match byte {
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ => {}
        }
        byte == separator && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quoted_separator_does_not_split() {
        let parts: Vec<_> = split(r#"a, b="x, \" y", c"#, b',').collect();
        assert_eq!(parts, ["a", r#"b="x, \" y""#, "c"]);
    }

    #[test]
    fn quoted_string_is_unquoted() {
        assert_eq!(unquote(r#""a \"b\" \\""#), r#"a "b" \"#);
        assert_eq!(unquote("token"), "token");
    }

    proptest! {
        #[test]
        fn arbitrary_values_never_panic(value in ".*") {
            split(&value, b',').for_each(|part| drop(unquote(part)));
        }
    }
}
