//! Filters of the customer list: AND between parameters, OR within a comma list (FACTS).

use super::{
    super::query::{InvalidParameter, Query},
    Certificate, Customer,
};

/// Filters of the vendor's page. A filter that is not given is empty.
#[derive(Debug)]
pub(crate) struct Filter {
    corporation_id: String,
    name: Option<String>,
    /// Search term in lower case.
    search_term: Option<String>,
    source_platforms: Vec<String>,
    source_platform_ids: Vec<String>,
    certificate_types: Vec<String>,
    exemption_jurisdiction: Vec<String>,
    expiration_status: Option<String>,
    exemption_status: Option<String>,
    has_exemption: Option<bool>,
}

impl Filter {
    /// Names of the filter parameters.
    pub(crate) const PARAMETERS: [&str; 10] = [
        "corporation_id",
        "name",
        "search_term",
        "source_platforms",
        "source_platform_ids",
        "certificate_types",
        "exemption_jurisdiction",
        "expiration_status",
        "exemption_status",
        "has_exemption",
    ];

    pub(crate) fn parse(query: &Query) -> Result<Self, InvalidParameter> {
        let text = |parameter| query.get(parameter).map(str::to_owned);
        let has_exemption = match query.get("has_exemption") {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => {
                return Err(InvalidParameter::new("has_exemption", "has_exemption must be true or false"));
            }
        };
        Ok(Self {
            corporation_id: query.required("corporation_id")?.to_owned(),
            name: text("name"),
            search_term: query.get("search_term").map(str::to_lowercase),
            source_platforms: query.comma_list("source_platforms")?,
            source_platform_ids: query.comma_list("source_platform_ids")?,
            certificate_types: query.comma_list("certificate_types")?,
            exemption_jurisdiction: query.comma_list("exemption_jurisdiction")?,
            expiration_status: text("expiration_status"),
            exemption_status: text("exemption_status"),
            has_exemption,
        })
    }

    pub(crate) fn corporation_id(&self) -> &str {
        &self.corporation_id
    }

    /// Returns true if the filter selects every customer of the corporation.
    pub(crate) fn selects_all(&self) -> bool {
        self.name.is_none()
            && self.search_term.is_none()
            && self.source_platforms.is_empty()
            && self.source_platform_ids.is_empty()
            && self.has_exemption.is_none()
            && !self.has_certificate_filters()
    }

    pub(crate) fn matches(&self, customer: &Customer) -> bool {
        let name = customer.name.as_str();
        let certificates = &customer.exemption_certificates;
        customer.corporation_id == self.corporation_id
            && (self.name.is_none() || self.name.as_deref() == name)
            && self.search_term.as_ref().is_none_or(|term| {
                name.is_some_and(|name| name.to_lowercase().contains(term.as_str()))
            })
            && allows(&self.source_platforms, customer.source_platform.as_str())
            && allows(
                &self.source_platform_ids,
                customer.source_platform_id.as_str(),
            )
            && self
                .has_exemption
                .is_none_or(|has| has != certificates.is_empty())
            // One certificate must match all certificate filters: an expired certificate of
            // California and a valid certificate of Texas are not a valid certificate of
            // California. The page does not specify this.
            && (!self.has_certificate_filters()
                || certificates.iter().any(|certificate| self.matches_certificate(certificate)))
    }

    fn has_certificate_filters(&self) -> bool {
        !self.certificate_types.is_empty()
            || !self.exemption_jurisdiction.is_empty()
            || self.expiration_status.is_some()
            || self.exemption_status.is_some()
    }

    fn matches_certificate(&self, certificate: &Certificate) -> bool {
        let equals = |filter: &Option<String>, value: &str| filter.as_ref().is_none_or(|filter| filter == value);
        allows(&self.certificate_types, Some(&certificate.r#type))
            && allows(&self.exemption_jurisdiction, Some(&certificate.jurisdiction))
            && equals(&self.expiration_status, certificate.expiration_status())
            && equals(&self.exemption_status, &certificate.status)
    }
}

/// Returns true if the filter contains the value, or if the filter is empty.
fn allows(filter: &[String], value: Option<&str>) -> bool {
    filter.is_empty() || value.is_some_and(|value| filter.iter().any(|item| item == value))
}
