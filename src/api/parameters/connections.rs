//! Connections of a request.

use crate::{
    callers::Access,
    directory::{Directory, Source},
    domain::connection::ConnectionName,
    web::{problem::Problem, query::QueryString},
};

use super::id::unknown_connection;

/// Returns the connections that the request names, or all connections that the
/// caller may use, in configuration order.
pub(crate) fn requested_connections(
    parameters: &QueryString<'_>,
    directory: &Directory,
    access: &Access,
) -> Result<Vec<ConnectionName>, Problem> {
    let named: Vec<&str> = parameters.list("connection").collect();
    if named.is_empty() {
        let all = directory.sources().map(Source::name);
        return Ok(all.filter(|name| access.allows(name.as_str())).cloned().collect());
    }
    let denied = named.iter().copied().find(|name| !access.allows(name));
    match denied.map_or_else(|| directory.sources_named(&named), Err) {
        Ok(sources) => Ok(sources.into_iter().map(|source| source.name().clone()).collect()),
        Err(unknown) => Err(unknown_connection(unknown, access, directory).parameter("connection")),
    }
}
