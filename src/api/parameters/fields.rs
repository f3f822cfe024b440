//! Fields of rows: the parameter `fields`, and the fields that are hidden from the
//! caller.

use crate::{
    callers::Access,
    domain::{
        field_policy::HiddenFields,
        parameter::Parameter,
        projection::{Projection, RAW},
        query::{ListQuery, Resource, Shape},
        record::RecordFields,
    },
    web::{
        problem::{Code, Problem},
        query::QueryString,
    },
};

const FIELDS: &str = "fields";

/// Reads `fields` and removes the fields that are hidden from the caller. `None`
/// if all fields remain.
pub(super) fn projection(
    parameters: &QueryString<'_>,
    resource: Resource,
    shape: &Shape,
    hidden: &HiddenFields,
) -> Result<Option<Projection>, Problem> {
    let selectors: Vec<_> = parameters.list(FIELDS).collect();
    if selectors.is_empty() && hidden.is_empty() {
        return Ok(None);
    }
    let fields = RecordFields::get(resource);
    let mut selected = vec!["id"];
    for selector in selectors.iter().copied().filter(|selector| *selector != RAW) {
        let covered = covered(selector, fields, shape)?;
        if covered.iter().all(|path| hidden.denies(path)) {
            return Err(forbidden(FIELDS, selector));
        }
        selected.extend(covered);
    }
    let has_raw = selectors.contains(&RAW);
    if has_raw && !shape.raw {
        return Err(missing(RAW, "include=raw"));
    }
    // In the order of the table, also for CSV.
    let is_visible = |path: &&str| (selectors.is_empty() || selected.contains(path)) && !hidden.denies(path);
    let paths = fields.paths(shape).filter(is_visible).collect();
    Ok(Some(Projection::new(paths, &hidden.masked, has_raw)))
}

/// Rejects expansions without a field that the caller may see.
pub(super) fn reject_hidden_expansions(
    shape: &Shape,
    resource: Resource,
    hidden: &HiddenFields,
) -> Result<(), Problem> {
    let mut expansions = shape.expand.iter();
    match expansions.find(|expansion| hidden.denies_expansion(resource, **expansion)) {
        Some(expansion) => Err(forbidden(Parameter::Expand.name(), expansion.name())),
        None => Ok(()),
    }
}

/// Rejects filters that would disclose values of a hidden field.
pub(super) fn reject_disclosure(query: &ListQuery, access: &Access) -> Result<(), Problem> {
    let filters = query.filter.parameters().into_iter().map(|(parameter, _)| parameter);
    let parameters = filters.chain(query.order.map(|_| Parameter::Order));
    let hidden = access.fields().hidden(query.resource);
    for parameter in parameters {
        if let Some(path) = hidden.disclosed_by(parameter) {
            let detail =
                format!("`{parameter}` discloses `{path}`, which the caller may not see; remove `{parameter}`");
            return Err(Problem::new(Code::Forbidden, detail).parameter(parameter.name()));
        }
    }
    Ok(())
}

/// Rejects the list of one customer's transactions if the caller may not see
/// their customer.
pub(super) fn reject_customer_disclosure(access: &Access) -> Result<(), Problem> {
    match access.fields().hidden(Resource::Transactions).disclosed_by(Parameter::CustomerId) {
        Some(path) => {
            let detail = format!("the list discloses `{path}` of transactions, which the caller may not see");
            Err(Problem::new(Code::Forbidden, detail).parameter("id"))
        }
        None => Ok(()),
    }
}

/// Returns the problem of a value whose fields are all denied.
fn forbidden(parameter: &'static str, value: &str) -> Problem {
    let detail = format!("the caller may not see the fields of `{parameter}={value}`; remove `{value}`");
    Problem::new(Code::Forbidden, detail).parameter(parameter)
}

/// Returns the paths that a selector covers in records of a shape.
fn covered(selector: &str, fields: &RecordFields, shape: &Shape) -> Result<Vec<&'static str>, Problem> {
    let covered: Vec<_> = fields.covered(selector).collect();
    let Some((_, expansion)) = covered.first() else {
        let supported = fields.all().map(|(path, _)| path).chain([RAW]);
        return Err(Problem::invalid(FIELDS, "fields of the rows, such as `id,email`", selector).supported(supported));
    };
    let is_present = |expansion: Option<_>| expansion.is_none_or(|expansion| shape.expands(expansion));
    let present: Vec<_> =
        covered.iter().filter(|(_, expansion)| is_present(*expansion)).map(|(path, _)| *path).collect();
    match expansion {
        Some(expansion) if present.is_empty() => Err(missing(selector, &format!("expand={}", expansion.name()))),
        _ => Ok(present),
    }
}

/// Returns the problem of a field that another parameter adds to the rows.
fn missing(selector: &str, parameter: &str) -> Problem {
    let detail = format!("`{FIELDS}={selector}` requires `{parameter}`; add that parameter or remove the field");
    Problem::new(Code::InvalidParameter, detail).parameter(FIELDS)
}
