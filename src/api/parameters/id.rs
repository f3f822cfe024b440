//! Ids in paths and parameters.

use axum::extract::RawPathParams;

use crate::{
    callers::Access,
    domain::{connection::ConnectionName, id::GatewayId},
    web::problem::{Code, Problem},
};

/// Splits the id of a customer into the connection and the vendor's id. A
/// connection that the caller may not use makes the customer unknown.
pub(crate) fn customer_id(id: &str, access: &Access) -> Result<(ConnectionName, String), Problem> {
    let id = GatewayId::parse(id).filter(|id| access.allows(id.connection)).ok_or_else(unknown_customer)?;
    let connection = id.connection.parse().map_err(|_| unknown_customer())?;
    Ok((connection, id.vendor_id.to_owned()))
}

/// Returns the problem of an id without a customer.
pub(super) fn unknown_customer() -> Problem {
    Problem::new(
        Code::CustomerNotFound,
        "there is no such customer; an id has the form `<connection>.<vendor's id>`, as returned in lists",
    )
}

/// Returns the only parameter of a path.
pub(crate) fn path_id(path: &RawPathParams) -> &str {
    path.iter().next().map_or("", |(_, value)| value)
}
