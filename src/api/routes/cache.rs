//! `DELETE /cache`: removing what is kept before its time.

use std::slice::from_ref;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{body::page, openapi::problems::PurgeProblems, parameters, state::ApiState},
    cache::Scope,
    callers::Access,
    telemetry::request::record_connections,
    web::{
        problem::{Code, Problem},
        query::Query,
    },
};

/// What a purge removed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Purged {
    /// How many kept answers went.
    #[schema(example = 12)]
    purged: usize,
}

/// Purge the cache
///
/// Removes what is kept: of one customer (every page that shows it), of some
/// connections, or of all that the caller may use. Callers need the right to.
#[utoipa::path(
    delete,
    path = "/cache",
    operation_id = "purgeCache",
    tag = "Operations",
    params(
        ("connection" = Option<Vec<String>>, Query, description = "Only of these connections.", example = json!(["affiliates"])),
        ("customer" = Option<String>, Query, description = "Only what shows this customer.", example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW"),
    ),
    responses((status = 200, description = "What was removed.", body = Purged), PurgeProblems),
)]
pub(crate) async fn purge_cache(
    State(state): State<ApiState>,
    access: Access,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = Query::parse(query.as_deref(), &["connection", "customer"])?;
    if !access.may_purge() {
        return Err(Problem::new(Code::Forbidden, "this caller may not purge the cache"));
    }
    let connections = parameters::connections(&query, &state.directory, &access)?;
    let scope = match query.one("customer")? {
        None => {
            record_connections(&connections);
            Scope::Connections(connections)
        }
        Some(id) => {
            let (connection, vendor_id) = parameters::customer_id(id, &access)?;
            record_connections(from_ref(&connection));
            Scope::Customer(connection, vendor_id)
        }
    };
    let purged = Purged { purged: state.directory.purge(&scope).await };
    Ok(page::json(serde_json::to_vec(&purged).unwrap_or_default()))
}
