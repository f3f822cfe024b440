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
    let allowed = || directory.sources().map(Source::name).filter(|name| access.allows(name.as_str()));
    let named: Vec<&str> = parameters.list("connection").collect();
    if let Some(unknown) = named.iter().find(|name| !allowed().any(|allowed| allowed.as_str() == **name)) {
        return Err(unknown_connection(unknown, access, directory).parameter("connection"));
    }
    Ok(allowed().filter(|name| named.is_empty() || named.contains(&name.as_str())).cloned().collect())
}
