//! Gateway ids: vendor ids with the name of their connection.

use std::{borrow::Cow, fmt};

use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};

/// Id of a row at the gateway: `<connection>.<vendor's id>`.
///
/// The vendor's part is opaque: its length and prefix are not interpreted
/// (FACTS.md, "Tolt v1"). An id that could leave its path segment at the vendor
/// is not an id (FACTS.md, case 50).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayId<'a> {
    /// The connection that holds the row.
    pub connection: &'a str,
    /// The row's id at the vendor.
    pub vendor_id: &'a str,
}

impl<'a> GatewayId<'a> {
    /// Splits an id at the first dot. Returns `None` without a dot, with an empty
    /// part, or if the vendor's part could lead to another path.
    ///
    /// ```
    /// use customer_gateway::domain::id::GatewayId;
    /// let id = GatewayId::parse("tax.a.b").unwrap();
    /// assert_eq!((id.connection, id.vendor_id), ("tax", "a.b"));
    /// ```
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (connection, vendor_id) = text.split_once('.')?;
        let is_id = !connection.is_empty() && !vendor_id.is_empty() && stays_in_segment(vendor_id);
        is_id.then_some(Self { connection, vendor_id })
    }
}

impl fmt::Display for GatewayId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.connection, self.vendor_id)
    }
}

impl Serialize for GatewayId<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns false for an id that could lead to another path: one with a control
/// character, a slash, a backslash or a dot segment. A server on the way may
/// decode the path once more, so the id is also checked after two decodings.
fn stays_in_segment(id: &str) -> bool {
    let mut id = Cow::Borrowed(id);
    for _ in 0..3 {
        if matches!(&*id, "." | "..") || id.contains(|c: char| c.is_control() || c == '/' || c == '\\') {
            return false;
        }
        id = Cow::Owned(percent_decode_str(&id).decode_utf8_lossy().into_owned());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_that_leaves_its_segment_is_rejected() {
        for id in ["../admin", "..%2fadmin", "%2e%2e%2Fadmin", "%252e%252e%252fadmin", "..", "%2e%2e", "%252e", "a/b"] {
            assert_eq!(GatewayId::parse(&format!("tax.{id}")), None, "{id}");
        }
        for id in ["a\\b", "a%5cb", "a%255Cb", "a\nb", "a%00b", "a%250Ab", "a\u{85}b"] {
            assert_eq!(GatewayId::parse(&format!("tax.{id}")), None, "{id}");
        }
    }

    #[test]
    fn other_characters_are_kept() {
        for id in ["a+b=c", "a b", "é客", "50%", "%zz", "a%20b", "a.b", "...", "a..b", "a?b#c&d"] {
            assert_eq!(GatewayId::parse(&format!("tax.{id}")).map(|id| id.vendor_id), Some(id));
        }
    }
}
