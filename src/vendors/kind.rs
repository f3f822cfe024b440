//! Vendor kinds: the properties of a vendor that all its accounts share.

use super::{Account, Vendor, capabilities::Capabilities, documented::Documented};

/// A kind of vendor.
pub struct VendorKind {
    /// The name in `vendor = "…"` and in responses.
    pub name: &'static str,
    /// The configuration key of the account id.
    pub account_key: &'static str,
    /// The default base URL of the vendor's API.
    pub base_url: &'static str,
    /// The default rate limit.
    pub requests_per_second: u32,
    /// The parameters and expansions that the vendor supports.
    pub capabilities: &'static Capabilities,
    /// The documented fields and values of the vendor's responses.
    pub documented: &'static Documented,
    /// The constructor of an adapter for an account.
    pub adapter: fn(Account) -> Box<dyn Vendor>,
}

impl PartialEq for VendorKind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for VendorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("VendorKind").field(&self.name).finish()
    }
}
