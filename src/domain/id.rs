//! Gateway ids: vendor ids with the name of their connection.

use std::fmt;

use serde::{Serialize, Serializer};

/// Id of a row at the gateway: `<connection>.<vendor's id>`.
///
/// The vendor's part is opaque: its length, prefix and characters are not
/// interpreted (FACTS.md, "Tolt v1").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayId<'a> {
    /// The connection that holds the row.
    pub connection: &'a str,
    /// The row's id at the vendor.
    pub vendor_id: &'a str,
}

impl<'a> GatewayId<'a> {
    /// Splits an id at the first dot. Returns `None` without a dot or with an
    /// empty part.
    ///
    /// ```
    /// use customer_gateway::domain::id::GatewayId;
    /// let id = GatewayId::parse("tax.a.b").unwrap();
    /// assert_eq!((id.connection, id.vendor_id), ("tax", "a.b"));
    /// ```
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (connection, vendor_id) = text.split_once('.')?;
        (!connection.is_empty() && !vendor_id.is_empty()).then_some(Self { connection, vendor_id })
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
