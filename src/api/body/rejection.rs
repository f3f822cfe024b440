//! Problem of a list that its connections do not support.

use std::collections::BTreeSet;

use crate::{
    api::parameters::{ListParts, ListRequest},
    directory::{DirectoryError, Source},
    vendors::plan::PlanError,
    web::problem::Problem,
};

/// Converts the error of a list. The problem of an unsupported parameter names
/// the connections that support it, only among those that the caller may use.
pub(crate) fn list_problem(error: DirectoryError, request: &ListRequest, parts: &ListParts) -> Problem {
    let DirectoryError::Plan(_, PlanError::Unsupported { parameter, .. }) = &error else { return error.into() };
    // The rows of a customer belong to one connection.
    if request.query.filter.customer_id.is_some() {
        return error.into();
    }
    let supports = |source: &&Source| source.supports(&request.query, *parameter);
    let usable = parts.directory.sources().filter(|source| parts.access.allows(source.name().as_str()));
    let supporting: Vec<_> = usable.filter(supports).map(Source::name).collect();
    let names: Vec<_> = supporting.iter().map(|name| format!("`{name}`")).collect();
    let remedy = match names.as_slice() {
        [] => "no connection supports this; remove the parameter".to_owned(),
        names => format!("name only connections that support this ({}) in `connection`", names.join(", ")),
    };
    let requested: BTreeSet<_> = request.page.connections.iter().collect();
    let can_skip = supporting.iter().any(|name| requested.contains(name));
    let skip = if can_skip { ", or send `Prefer: handling=lenient` to skip the others" } else { "" };
    Problem::from(error).remedy(&format!("{remedy}{skip}"))
}
