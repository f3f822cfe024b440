//! The query parameters that a vendor may or may not honour.
//!
//! One enumeration for the validator, the capabilities and the documentation:
//! what is not in it cannot be asked of a vendor.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! parameters {
    ($(#[$doc:meta] $variant:ident = $name:literal),+ $(,)?) => {
        /// A query parameter whose meaning a vendor may or may not know.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Parameter { $(#[$doc] $variant),+ }

        impl Parameter {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in a query.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

parameters! {
    /// `order`: `asc` or `desc` by `created_at`.
    Order = "order",
    /// `status`: the vendor's status, exactly.
    Status = "status",
    /// `partner_id`: the referring partner.
    PartnerId = "partner_id",
    /// `customer_id`: whose transactions.
    CustomerId = "customer_id",
    /// `created_gte`: created at or after.
    CreatedGte = "created_gte",
    /// `created_lte`: created at or before.
    CreatedLte = "created_lte",
    /// `name`: the name, exactly.
    Name = "name",
    /// `search`: part of the name or e-mail address, in any case.
    Search = "search",
    /// `email`: the e-mail address, in any case.
    Email = "email",
    /// `external_id`: your own id of the customer, exactly.
    ExternalId = "external_id",
    /// `source_platform`: the platform a customer came from.
    SourcePlatform = "source_platform",
    /// `source_platform_id`: the customer's id on that platform.
    SourcePlatformId = "source_platform_id",
    /// `certificate_type`: a type of exemption certificate.
    CertificateType = "certificate_type",
    /// `exemption_jurisdiction`: where a customer is exempt.
    ExemptionJurisdiction = "exemption_jurisdiction",
    /// `exemption_status`: whether an exemption is active.
    ExemptionStatus = "exemption_status",
    /// `expiration_status`: whether a certificate has expired.
    ExpirationStatus = "expiration_status",
    /// `has_exemption`: whether there is any exemption.
    HasExemption = "has_exemption",
    /// `expand`: related objects to include.
    Expand = "expand",
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Parameter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
