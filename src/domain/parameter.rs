//! Query parameters whose support differs between vendors.
//!
//! The validator, the capability tables and the documentation share this
//! enumeration.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! parameters {
    ($(#[$doc:meta] $variant:ident = $name:literal),+ $(,)?) => {
        /// A query parameter whose support differs between vendors.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Parameter { $(#[$doc] $variant),+ }

        impl Parameter {
            /// All parameters, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name in a query.
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
    /// `status`: the vendor's status, exact.
    Status = "status",
    /// `partner_id`: the referring partner.
    PartnerId = "partner_id",
    /// `customer_id`: the customer of a transaction.
    CustomerId = "customer_id",
    /// `created_gte`: created at or after.
    CreatedGte = "created_gte",
    /// `created_lte`: created at or before.
    CreatedLte = "created_lte",
    /// `updated_gte`: updated at or after.
    UpdatedGte = "updated_gte",
    /// `updated_lte`: updated at or before.
    UpdatedLte = "updated_lte",
    /// `name`: the name, exact.
    Name = "name",
    /// `search`: a part of the name or email address; with `@`, of the address.
    Search = "search",
    /// `email`: the email address, case-insensitive.
    Email = "email",
    /// `external_id`: your own id of the customer, exact.
    ExternalId = "external_id",
    /// `source_platform`: the platform of origin of a customer.
    SourcePlatform = "source_platform",
    /// `source_platform_id`: the customer's id on that platform.
    SourcePlatformId = "source_platform_id",
    /// `certificate_type`: a type of exemption certificate.
    CertificateType = "certificate_type",
    /// `exemption_jurisdiction`: a jurisdiction in which a customer is exempt.
    ExemptionJurisdiction = "exemption_jurisdiction",
    /// `exemption_status`: the status of an exemption.
    ExemptionStatus = "exemption_status",
    /// `expiration_status`: the expiration status of a certificate.
    ExpirationStatus = "expiration_status",
    /// `has_exemption`: `true` for customers with an exemption.
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
