//! Ids in paths and parameters, and the problems of unknown ids.

use axum::extract::RawPathParams;

use crate::{
    callers::Access,
    directory::Directory,
    domain::{connection::ConnectionName, id::GatewayId},
    web::problem::{Code, Problem, excerpt},
};

/// Splits the id of a customer into the connection and the vendor's id. A
/// connection that the caller may not use makes the customer unknown.
pub(crate) fn customer_id(
    id: &str,
    access: &Access,
    directory: &Directory,
) -> Result<(ConnectionName, String), Problem> {
    let (connection, vendor_id) = split(id, access).ok_or_else(|| {
        let id = excerpt(id);
        let form = "an id has the form `<connection>.<vendor's id>`, as returned in lists";
        Problem::new(Code::CustomerNotFound, format!("there is no customer `{id}`; {form}"))
    })?;
    if directory.source(&connection).is_err() {
        let detail = format!("there is no connection `{connection}`, which the id `{}` names", excerpt(id));
        return Err(Problem::new(Code::ConnectionNotFound, detail).connection(connection.to_string()));
    }
    Ok((connection, vendor_id))
}

/// Returns the problem of a customer that the connection's vendor does not have.
pub(crate) fn missing_customer(connection: &ConnectionName, vendor_id: &str) -> Problem {
    let detail = format!("the connection `{connection}` has no customer `{}`", excerpt(vendor_id));
    Problem::new(Code::CustomerNotFound, detail).connection(connection.to_string())
}

/// Returns the problem of a connection that is absent or that the caller may not
/// use. Lists the connections that the caller may use.
pub(crate) fn unknown_connection(name: &str, access: &Access, directory: &Directory) -> Problem {
    let usable = directory.sources().map(|source| source.name().as_str()).filter(|name| access.allows(name));
    Problem::new(Code::ConnectionNotFound, format!("there is no connection `{}`", excerpt(name))).supported(usable)
}

fn split(id: &str, access: &Access) -> Option<(ConnectionName, String)> {
    let id = GatewayId::parse(id).filter(|id| access.allows(id.connection))?;
    Some((id.connection.parse().ok()?, id.vendor_id.to_owned()))
}

/// Returns the only parameter of a path.
pub(crate) fn path_id(path: &RawPathParams) -> &str {
    path.iter().next().map_or("", |(_, value)| value)
}
