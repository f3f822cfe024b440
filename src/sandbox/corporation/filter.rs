//! Which customers a list shows: AND between the parameters, OR within a comma list (FACTS).

use super::{
    super::query::{Query, Refusal},
    Certificate, Customer,
};

/// The filters of the page, each empty where it was not given.
#[derive(Debug)]
pub(crate) struct Filter {
    corporation_id: String,
    name: Option<String>,
    /// In lower case.
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
    /// The filters among the parameters.
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

    pub(crate) fn parse(query: &Query) -> Result<Self, Refusal> {
        let text = |parameter| query.get(parameter).map(str::to_owned);
        let has_exemption = match query.get("has_exemption") {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => {
                return Err(Refusal::new("has_exemption", "has_exemption must be true or false"));
            }
        };
        Ok(Self {
            corporation_id: query.required("corporation_id")?.to_owned(),
            name: text("name"),
            search_term: query.get("search_term").map(str::to_lowercase),
            source_platforms: comma_list(query, "source_platforms")?,
            source_platform_ids: comma_list(query, "source_platform_ids")?,
            certificate_types: comma_list(query, "certificate_types")?,
            exemption_jurisdiction: comma_list(query, "exemption_jurisdiction")?,
            expiration_status: text("expiration_status"),
            exemption_status: text("exemption_status"),
            has_exemption,
        })
    }

    pub(crate) fn corporation_id(&self) -> &str {
        &self.corporation_id
    }

    pub(crate) fn keeps(&self, customer: &Customer) -> bool {
        let name = customer.name.as_str();
        let certificates = &customer.exemption_certificates;
        customer.corporation_id == self.corporation_id
            && (self.name.is_none() || self.name.as_deref() == name)
            && self.search_term.as_ref().is_none_or(|term| {
                name.is_some_and(|name| name.to_lowercase().contains(term.as_str()))
            })
            && among(&self.source_platforms, customer.source_platform.as_str())
            && among(
                &self.source_platform_ids,
                customer.source_platform_id.as_str(),
            )
            && self
                .has_exemption
                .is_none_or(|has| has != certificates.is_empty())
            // One certificate has to meet all that is asked of certificates: an expired one of
            // California beside a valid one of Texas is no valid one of California. The page does
            // not say.
            && (!self.asks_of_certificates()
                || certificates.iter().any(|certificate| self.fits(certificate)))
    }

    fn asks_of_certificates(&self) -> bool {
        !self.certificate_types.is_empty()
            || !self.exemption_jurisdiction.is_empty()
            || self.expiration_status.is_some()
            || self.exemption_status.is_some()
    }

    fn fits(&self, certificate: &Certificate) -> bool {
        let is = |asked: &Option<String>, value: &str| asked.as_ref().is_none_or(|asked| asked == value);
        among(&self.certificate_types, Some(&certificate.r#type))
            && among(&self.exemption_jurisdiction, Some(&certificate.jurisdiction))
            && is(&self.expiration_status, certificate.expiration_status())
            && is(&self.exemption_status, &certificate.status)
    }
}

/// A comma list's items. Blank ones are refused rather than dropped.
pub(crate) fn comma_list(query: &Query, parameter: &str) -> Result<Vec<String>, Refusal> {
    let Some(list) = query.get(parameter) else {
        return Ok(Vec::new());
    };
    list.split(',')
        .map(|item| {
            if item.is_empty() {
                Err(Refusal::new(parameter, format!("{parameter} has an empty item")))
            } else {
                Ok(item.to_owned())
            }
        })
        .collect()
}

/// Whether the value is one of those asked for, if any were.
fn among(asked: &[String], value: Option<&str>) -> bool {
    asked.is_empty() || value.is_some_and(|value| asked.iter().any(|item| item == value))
}
