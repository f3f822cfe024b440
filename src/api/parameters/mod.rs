//! From a query's parameters to a question.

mod documented;
mod list_parts;

use axum::extract::RawPathParams;
use jiff::{ToSpan, civil, tz::TimeZone};

use crate::{
    callers::Access,
    directory::{Directory, PageRequest},
    domain::{
        connection::ConnectionName,
        filter::{CreatedRange, Filter},
        id::GatewayId,
        parameter::Parameter,
        query::{Expansion, ListQuery, Order, Resource, Shape},
    },
    web::{
        conditional, prefer,
        problem::{Code, Problem},
        query::Query,
    },
};

pub(super) use documented::{
    ConnectionParameters, CustomerExpansion, CustomerParameters, CustomerShapeParameters, Include, PageParameters,
    Partial, TransactionExpansion, TransactionShapeParameters,
};
pub(crate) use list_parts::ListParts;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// The expansions that a list of customers may be asked for.
const CUSTOMER_EXPANSIONS: &[Expansion] =
    &[Expansion::Partner, Expansion::Program, Expansion::Stats, Expansion::ShippingAddress, Expansion::Exemption];

/// The expansions that a list of transactions may be asked for.
const TRANSACTION_EXPANSIONS: &[Expansion] = &[Expansion::Customer, Expansion::Partner, Expansion::Program];

/// The parameters of `GET /customers` that vendors may differ in.
pub(super) const CUSTOMER_FILTERS: &[Parameter] = &[
    Parameter::Order,
    Parameter::Status,
    Parameter::PartnerId,
    Parameter::CreatedGte,
    Parameter::CreatedLte,
    Parameter::Name,
    Parameter::Search,
    Parameter::Email,
    Parameter::ExternalId,
    Parameter::SourcePlatform,
    Parameter::SourcePlatformId,
    Parameter::CertificateType,
    Parameter::ExemptionJurisdiction,
    Parameter::ExemptionStatus,
    Parameter::ExpirationStatus,
    Parameter::HasExemption,
];

/// The parameters of `GET /transactions` that vendors may differ in.
pub(super) const TRANSACTION_FILTERS: &[Parameter] =
    &[Parameter::Order, Parameter::PartnerId, Parameter::CustomerId, Parameter::CreatedGte, Parameter::CreatedLte];

/// A list, as a query asks for it.
#[derive(Debug)]
pub(super) struct ListRequest {
    pub(super) question: ListQuery,
    pub(super) page: PageRequest,
    /// The parameter that bounds a page, if one was given.
    pub(super) bound: Option<&'static str>,
}

/// Reads the query of a list of customers.
pub(super) fn customers(asker: &ListParts) -> Result<ListRequest, Problem> {
    let query = Query::parse(asker.query.as_deref(), &known(CUSTOMER_FILTERS, true))?;
    let question = question(&query, Resource::Customers, CUSTOMER_EXPANSIONS, &asker.access)?;
    let connections = connections(&query, &asker.directory, &asker.access)?;
    request(question, &query, connections, asker)
}

/// Reads the query of a list of transactions.
pub(super) fn transactions(asker: &ListParts) -> Result<ListRequest, Problem> {
    let query = Query::parse(asker.query.as_deref(), &known(TRANSACTION_FILTERS, true))?;
    let mut question = question(&query, Resource::Transactions, TRANSACTION_EXPANSIONS, &asker.access)?;
    let mut connections = connections(&query, &asker.directory, &asker.access)?;
    if let Some(given) = question.filter.customer_id.take() {
        // The customer's id routes itself: it chooses among the connections.
        let (holder, vendor_id) = customer_id(&given, &asker.access)?;
        if !asker.directory.sources().any(|source| *source.name() == holder) {
            return Err(unknown_customer());
        }
        connections.retain(|connection| *connection == holder);
        if connections.is_empty() {
            let detail = format!("the customer is held by `{holder}`, which is not among the connections asked");
            return Err(Problem::new(Code::InvalidParameter, detail).parameter(Parameter::CustomerId.name()));
        }
        question.filter.customer_id = Some(vendor_id);
    }
    request(question, &query, connections, asker)
}

/// Reads the query of one customer's transactions.
pub(super) fn customer_transactions(asker: &ListParts, id: &str) -> Result<ListRequest, Problem> {
    let filters: Vec<_> =
        TRANSACTION_FILTERS.iter().copied().filter(|parameter| *parameter != Parameter::CustomerId).collect();
    let query = Query::parse(asker.query.as_deref(), &known(&filters, false))?;
    let mut question = question(&query, Resource::Transactions, TRANSACTION_EXPANSIONS, &asker.access)?;
    let (connection, vendor_id) = customer_id(id, &asker.access)?;
    question.filter.customer_id = Some(vendor_id);
    request(question, &query, vec![connection], asker)
}

/// Reads the query of one customer.
pub(super) fn customer_shape(query: Option<&str>, access: &Access) -> Result<Shape, Problem> {
    shape(&Query::parse(query, &["expand", "include"])?, CUSTOMER_EXPANSIONS, access)
}

/// The connection and the vendor's id in a customer's id.
pub(super) fn customer_id(id: &str, access: &Access) -> Result<(ConnectionName, String), Problem> {
    let id = GatewayId::parse(id).filter(|id| access.allows(id.connection)).ok_or_else(unknown_customer)?;
    let connection = id.connection.parse().map_err(|_| unknown_customer())?;
    Ok((connection, id.vendor_id.to_owned()))
}

fn unknown_customer() -> Problem {
    Problem::new(
        Code::CustomerNotFound,
        "there is no such customer; an id is `<connection>.<vendor's id>`, as lists give it",
    )
}

/// The one parameter of a path.
pub(super) fn path_id(path: &RawPathParams) -> &str {
    path.iter().next().map_or("", |(_, value)| value)
}

/// The names of all parameters that a list takes.
fn known(filters: &[Parameter], connection: bool) -> Vec<&'static str> {
    let common = ["limit", "cursor", "max_calls", "partial", "expand", "include"];
    let connection = connection.then_some("connection");
    connection.into_iter().chain(common).chain(filters.iter().map(|parameter| parameter.name())).collect()
}

fn question(
    query: &Query<'_>,
    resource: Resource,
    expansions: &[Expansion],
    access: &Access,
) -> Result<ListQuery, Problem> {
    let shape = shape(query, expansions, access)?;
    Ok(ListQuery { resource, filter: filter(query)?, order: order(query)?, shape })
}

fn request(
    question: ListQuery,
    query: &Query<'_>,
    connections: Vec<ConnectionName>,
    asker: &ListParts,
) -> Result<ListRequest, Problem> {
    let bound = ["limit", "max_calls"].into_iter().find(|name| query.many(name).next().is_some());
    Ok(ListRequest { question, page: page(query, connections, asker)?, bound })
}

fn page(query: &Query<'_>, connections: Vec<ConnectionName>, asker: &ListParts) -> Result<PageRequest, Problem> {
    Ok(PageRequest {
        are_named: connections.len() == 1 || query.many("connection").next().is_some(),
        connections,
        is_lenient: prefer::is_lenient(&asker.headers),
        allows_partial: allows_partial(query)?,
        max_calls: max_calls(query, asker.directory.max_calls())?,
        limit: limit(query)?,
        cursor: query.one("cursor")?.map(str::to_owned),
        directives: conditional::parse_cache_control(&asker.headers),
        caller_share: asker.access.caller_share(),
    })
}

/// The connections that a request is to, in the configuration's order.
pub(super) fn connections(
    query: &Query<'_>,
    directory: &Directory,
    access: &Access,
) -> Result<Vec<ConnectionName>, Problem> {
    let allowed =
        || directory.sources().map(crate::directory::Source::name).filter(|name| access.allows(name.as_str()));
    let named: Vec<&str> = query.list("connection").collect();
    if let Some(unknown) = named.iter().find(|name| !allowed().any(|known| known.as_str() == **name)) {
        return Err(Problem::new(Code::ConnectionNotFound, format!("there is no connection `{unknown}`"))
            .parameter("connection")
            .supported(allowed().map(ToString::to_string)));
    }
    Ok(allowed().filter(|name| named.is_empty() || named.contains(&name.as_str())).cloned().collect())
}

fn limit(query: &Query<'_>) -> Result<usize, Problem> {
    let Some(text) = query.one("limit")? else { return Ok(DEFAULT_LIMIT) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| Problem::invalid("limit", "a whole number from 1 to 100", text))
}

fn max_calls(query: &Query<'_>, configured: u32) -> Result<Option<u32>, Problem> {
    let calls = |text: &str| {
        let calls = text.parse().ok().filter(|calls| (1..=configured).contains(calls));
        calls.ok_or_else(|| Problem::invalid("max_calls", &format!("a whole number from 1 to {configured}"), text))
    };
    query.one("max_calls")?.map(calls).transpose()
}

fn allows_partial(query: &Query<'_>) -> Result<bool, Problem> {
    match query.one("partial")? {
        None | Some("deny") => Ok(false),
        Some("allow") => Ok(true),
        Some(other) => Err(Problem::invalid("partial", "`allow` or `deny`", other)),
    }
}

fn order(query: &Query<'_>) -> Result<Option<Order>, Problem> {
    let order = |text| match text {
        "asc" => Ok(Order::Asc),
        "desc" => Ok(Order::Desc),
        _ => Err(Problem::invalid("order", "`asc` or `desc`", text)),
    };
    query.one("order")?.map(order).transpose()
}

fn filter(query: &Query<'_>) -> Result<Filter, Problem> {
    let one = |parameter: Parameter| query.one(parameter.name()).map(|value| value.map(str::to_owned));
    let many = |parameter: Parameter| query.many(parameter.name()).map(str::to_owned).collect::<Vec<_>>();
    let truth = |text| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Problem::invalid(Parameter::HasExemption.name(), "`true` or `false`", text)),
    };
    Ok(Filter {
        status: one(Parameter::Status)?,
        partner_id: one(Parameter::PartnerId)?,
        customer_id: one(Parameter::CustomerId)?,
        created: created(query)?,
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
        has_exemption: query.one(Parameter::HasExemption.name())?.map(truth).transpose()?,
    })
}

fn created(query: &Query<'_>) -> Result<CreatedRange, Problem> {
    let bound = |parameter: Parameter| {
        let read = |text| {
            let instant = instant(text, parameter == Parameter::CreatedLte);
            instant.ok_or_else(|| {
                let accepted = "an RFC 3339 date-time with its offset, such as `2025-01-15T14:30:00Z`, or a date";
                Problem::invalid(parameter.name(), accepted, text)
            })
        };
        query.one(parameter.name())?.map(read).transpose()
    };
    let created = CreatedRange { gte: bound(Parameter::CreatedGte)?, lte: bound(Parameter::CreatedLte)? };
    if matches!((created.gte, created.lte), (Some(gte), Some(lte)) if lte < gte) {
        let detail = "`created_lte` lies before `created_gte`, so that nothing can match";
        return Err(Problem::new(Code::InvalidParameter, detail).parameter(Parameter::CreatedLte.name()));
    }
    Ok(created)
}

/// An instant of a caller's. A date stands for the beginning of its day in
/// UTC, or for its end where it bounds a range from above.
fn instant(text: &str, is_upper: bool) -> Option<jiff::Timestamp> {
    // The years before 0 and the names of zones are jiff's own, not RFC 3339's.
    if text.starts_with(['-', '+']) || text.ends_with(']') {
        return None;
    }
    if let Some(date) = text.parse::<civil::Date>().ok().filter(|_| !text.contains(['T', 't', ' '])) {
        let day = date.to_zoned(TimeZone::UTC).ok()?;
        return if is_upper {
            Some(day.checked_add(1.day()).ok()?.checked_sub(1.nanosecond()).ok()?.timestamp())
        } else {
            Some(day.timestamp())
        };
    }
    // A `+` that was not percent-encoded arrives as a space (FACTS.md, case 26).
    let (rest, offset) = text.rsplit_once(' ').filter(|(rest, _)| rest.contains(['T', 't'])).unzip();
    match (rest, offset) {
        (Some(rest), Some(offset)) => format!("{rest}+{offset}").parse().ok(),
        _ => text.parse().ok(),
    }
}

fn shape(query: &Query<'_>, expansions: &[Expansion], access: &Access) -> Result<Shape, Problem> {
    let expansion = |text| {
        expansions.iter().copied().find(|expansion| expansion.name() == text).ok_or_else(|| {
            let names: Vec<_> = expansions.iter().map(|expansion| format!("`{}`", expansion.name())).collect();
            Problem::invalid("expand", &format!("one of {}", names.join(", ")), text)
                .supported(expansions.iter().map(|expansion| expansion.name()))
        })
    };
    let mut expand = query.list("expand").map(expansion).collect::<Result<Vec<_>, _>>()?;
    expand.sort_unstable();
    expand.dedup();
    if let Some(unknown) = query.list("include").find(|value| *value != "raw") {
        return Err(Problem::invalid("include", "`raw`", unknown));
    }
    let raw = query.list("include").next().is_some();
    if raw && !access.may_see_raw() {
        return Err(
            Problem::new(Code::Forbidden, "this caller may not see the vendor's own object").parameter("include")
        );
    }
    Ok(Shape { expand, raw })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_bounds_its_whole_day() {
        let read = |text, is_upper| instant(text, is_upper).map(|instant| instant.to_string());
        assert_eq!(read("2025-01-31", false).as_deref(), Some("2025-01-31T00:00:00Z"));
        assert_eq!(read("2025-01-31", true).as_deref(), Some("2025-01-31T23:59:59.999999999Z"));
    }

    #[test]
    fn offsets_are_read_in_every_spelling_of_clients() {
        for text in [
            "2025-01-15T14:30:00Z",
            "2025-01-15T14:30:00.000+00:00",
            "2025-01-15T14:30:00+0000",
            "2025-01-15T16:30:00+02:00",
            "2025-01-15T16:30:00 02:00",
        ] {
            assert_eq!(
                instant(text, false).map(|it| it.to_string()).as_deref(),
                Some("2025-01-15T14:30:00Z"),
                "{text}"
            );
        }
        for text in [
            "2025-01-15T14:30:00",
            "yesterday",
            "1736951400",
            "2025-13-01",
            "-000001-01-01T00:00:00Z",
            "-000001-01-01",
            "2025-01-15T14:30:00+00:00[UTC]",
        ] {
            assert_eq!(instant(text, false), None, "{text}");
        }
    }
}
