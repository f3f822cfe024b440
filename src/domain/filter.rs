//! List filters.

use super::parameter::Parameter;

/// Filter of a list. A row matches if it matches every field that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The accepted vendor statuses, exact.
    pub status: Vec<String>,
    /// The ids of the accepted referring partners.
    pub partner_id: Vec<String>,
    /// The customer's id at the vendor. For transactions only.
    pub customer_id: Option<String>,
    /// The range of `created_at`.
    pub created: InstantRange,
    /// The range of `updated_at`.
    pub updated: InstantRange,
    /// The name, exact.
    pub name: Option<String>,
    /// A part of the name or email address, case-insensitive. With `@`, a part of
    /// the email address only.
    pub search: Option<String>,
    /// The email address, case-insensitive.
    pub email: Option<String>,
    /// Your own id of the customer, exact.
    pub external_id: Option<String>,
    /// The accepted platforms.
    pub source_platform: Vec<String>,
    /// The accepted ids on a platform.
    pub source_platform_id: Vec<String>,
    /// The accepted certificate types.
    pub certificate_type: Vec<String>,
    /// The accepted jurisdictions.
    pub exemption_jurisdiction: Vec<String>,
    /// The status of an exemption.
    pub exemption_status: Option<String>,
    /// The expiration status of a certificate.
    pub expiration_status: Option<String>,
    /// True for customers with an exemption, false for customers without one.
    pub has_exemption: Option<bool>,
}

impl Filter {
    /// Returns true if the filter usually leaves one customer or none.
    #[must_use]
    pub fn is_selective(&self) -> bool {
        self.email.is_some() || self.external_id.is_some() || self.name.is_some()
    }

    /// Returns the parameters that are set, with their values. The planner and
    /// the fingerprint of a query read this list.
    #[must_use]
    pub fn parameters(&self) -> Vec<(Parameter, Vec<String>)> {
        let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
        let instant = |value: Option<jiff::Timestamp>| value.iter().map(ToString::to_string).collect();
        let all = [
            (Parameter::Status, self.status.clone()),
            (Parameter::PartnerId, self.partner_id.clone()),
            (Parameter::CustomerId, one(&self.customer_id)),
            (Parameter::CreatedGte, instant(self.created.gte)),
            (Parameter::CreatedLte, instant(self.created.lte)),
            (Parameter::UpdatedGte, instant(self.updated.gte)),
            (Parameter::UpdatedLte, instant(self.updated.lte)),
            (Parameter::Name, one(&self.name)),
            (Parameter::Search, one(&self.search)),
            (Parameter::Email, one(&self.email)),
            (Parameter::ExternalId, one(&self.external_id)),
            (Parameter::SourcePlatform, self.source_platform.clone()),
            (Parameter::SourcePlatformId, self.source_platform_id.clone()),
            (Parameter::CertificateType, self.certificate_type.clone()),
            (Parameter::ExemptionJurisdiction, self.exemption_jurisdiction.clone()),
            (Parameter::ExemptionStatus, one(&self.exemption_status)),
            (Parameter::ExpirationStatus, one(&self.expiration_status)),
            (Parameter::HasExemption, self.has_exemption.iter().map(ToString::to_string).collect()),
        ];
        all.into_iter().filter(|(_, values)| !values.is_empty()).collect()
    }
}

/// Range of instants, with inclusive bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct InstantRange {
    /// The earliest instant that matches.
    pub gte: Option<jiff::Timestamp>,
    /// The latest instant that matches.
    pub lte: Option<jiff::Timestamp>,
}

impl InstantRange {
    /// Returns true if a bound is set.
    #[must_use]
    pub fn is_bounded(self) -> bool {
        self.gte.is_some() || self.lte.is_some()
    }

    /// Returns true if the range contains an instant. Only the unbounded range
    /// contains an unknown instant, as with an SQL null.
    #[must_use]
    pub fn contains(self, instant: Option<jiff::Timestamp>) -> bool {
        match instant {
            Some(instant) => self.gte.is_none_or(|from| from <= instant) && self.lte.is_none_or(|to| instant <= to),
            None => !self.is_bounded(),
        }
    }
}
