//! Filters of a list.

use super::parameter::Parameter;

/// Which rows a caller wants; every member that is set must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The vendor's status, exactly.
    pub status: Option<String>,
    /// The referring partner's id.
    pub partner_id: Option<String>,
    /// The customer's id at the vendor, for transactions.
    pub customer_id: Option<String>,
    /// The range of `created_at`.
    pub created: CreatedRange,
    /// The name, exactly.
    pub name: Option<String>,
    /// A part of the name or e-mail address, in any case.
    pub search: Option<String>,
    /// The e-mail address, in any case.
    pub email: Option<String>,
    /// Your own id of the customer, exactly.
    pub external_id: Option<String>,
    /// Any of these platforms.
    pub source_platform: Vec<String>,
    /// Any of these ids on a platform.
    pub source_platform_id: Vec<String>,
    /// Any of these types of certificate.
    pub certificate_type: Vec<String>,
    /// Any of these jurisdictions.
    pub exemption_jurisdiction: Vec<String>,
    /// The status of an exemption.
    pub exemption_status: Option<String>,
    /// Whether a certificate has expired.
    pub expiration_status: Option<String>,
    /// Whether there is any exemption.
    pub has_exemption: Option<bool>,
}

impl Filter {
    /// The parameters that are set, with their values as they stood in the
    /// query: the one list from which the validator, the adapters and the
    /// fingerprint of a question read.
    #[must_use]
    pub fn set(&self) -> Vec<(Parameter, Vec<String>)> {
        let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
        let instant = |value: Option<jiff::Timestamp>| value.iter().map(ToString::to_string).collect();
        let all = [
            (Parameter::Status, one(&self.status)),
            (Parameter::PartnerId, one(&self.partner_id)),
            (Parameter::CustomerId, one(&self.customer_id)),
            (Parameter::CreatedGte, instant(self.created.gte)),
            (Parameter::CreatedLte, instant(self.created.lte)),
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

/// The `created_at` range of a question, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CreatedRange {
    /// The earliest instant that matches.
    pub gte: Option<jiff::Timestamp>,
    /// The latest instant that matches.
    pub lte: Option<jiff::Timestamp>,
}

impl CreatedRange {
    /// Whether any bound is set.
    #[must_use]
    pub fn is_bounded(self) -> bool {
        self.gte.is_some() || self.lte.is_some()
    }

    /// Whether an instant lies within. An unknown instant lies within the
    /// unbounded range only, as an SQL null would.
    #[must_use]
    pub fn contains(self, instant: Option<jiff::Timestamp>) -> bool {
        match instant {
            Some(instant) => self.gte.is_none_or(|from| from <= instant) && self.lte.is_none_or(|to| instant <= to),
            None => !self.is_bounded(),
        }
    }
}
