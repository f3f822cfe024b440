//! Filters of a list.

use crate::{
    domain::{
        filter::{Filter, InstantRange},
        parameter::Parameter,
    },
    web::{
        problem::{Code, Problem},
        query::QueryString,
    },
};

use super::instant::{Bound, parse_instant};

/// Reads the filters.
pub(super) fn filter(parameters: &QueryString<'_>) -> Result<Filter, Problem> {
    let one = |parameter: Parameter| parameters.one(parameter.name()).map(|value| value.map(str::to_owned));
    let many = |parameter: Parameter| parameters.many(parameter.name()).map(str::to_owned).collect::<Vec<_>>();
    let distinct = |parameter: Parameter| {
        let mut values: Vec<String> = Vec::new();
        for value in parameters.many(parameter.name()) {
            if !values.iter().any(|other| other == value) {
                values.push(value.to_owned());
            }
        }
        values
    };
    let boolean = |text| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Problem::invalid(Parameter::HasExemption.name(), "`true` or `false`", text)),
    };
    Ok(Filter {
        status: distinct(Parameter::Status),
        partner_id: distinct(Parameter::PartnerId),
        customer_id: one(Parameter::CustomerId)?,
        created: range(parameters, Parameter::CreatedGte, Parameter::CreatedLte)?,
        updated: range(parameters, Parameter::UpdatedGte, Parameter::UpdatedLte)?,
        name: one(Parameter::Name)?,
        search: one(Parameter::Search)?,
        email: one(Parameter::Email)?,
        external_id: one(Parameter::ExternalId)?,
        source_platform: many(Parameter::SourcePlatform),
        source_platform_id: many(Parameter::SourcePlatformId),
        certificate_type: many(Parameter::CertificateType),
        exemption_jurisdiction: many(Parameter::ExemptionJurisdiction),
        exemption_status: one(Parameter::ExemptionStatus)?,
        expiration_status: one(Parameter::ExpirationStatus)?,
        has_exemption: parameters.one(Parameter::HasExemption.name())?.map(boolean).transpose()?,
    })
}

/// Reads a range of instants.
fn range(parameters: &QueryString<'_>, gte: Parameter, lte: Parameter) -> Result<InstantRange, Problem> {
    let instant = |parameter: Parameter, bound: Bound| {
        let parse = |text| {
            parse_instant(text, bound).ok_or_else(|| {
                let accepted = "an RFC 3339 date-time with its offset, such as `2025-01-15T14:30:00Z`, or a date";
                Problem::invalid(parameter.name(), accepted, text)
            })
        };
        parameters.one(parameter.name())?.map(parse).transpose()
    };
    let range = InstantRange { gte: instant(gte, Bound::Lower)?, lte: instant(lte, Bound::Upper)? };
    if matches!((range.gte, range.lte), (Some(first), Some(last)) if last < first) {
        let detail = format!("`{lte}` is before `{gte}`, so no row can match");
        return Err(Problem::new(Code::InvalidParameter, detail).parameter(lte.name()));
    }
    Ok(range)
}
