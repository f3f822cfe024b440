//! `DELETE /cache`.

use std::slice::from_ref;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        auth::Authorized,
        body::page,
        openapi::problems::PurgeProblems,
        parameters::{customer_id, requested_connections},
        state::ApiState,
    },
    cache::Scope,
    telemetry::request::record_connections,
    web::{
        problem::{Code, Problem},
        query::QueryString,
    },
};

/// The result of a purge.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Purged {
    /// The number of removed cache entries of the replica that answers.
    #[schema(example = 12)]
    purged: usize,
    /// The number of replicas of the gateway. Absent without shared state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 3)]
    replicas: Option<u32>,
    /// The number of replicas that have confirmed the purge, with the replica that
    /// answers. If it is smaller than `replicas`, other replicas may still serve the
    /// purged responses while they are fresh. Absent without shared state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 3)]
    confirmed: Option<u32>,
}

/// Purge the cache
///
/// Removes cached vendor responses: the responses that contain `customer`, the
/// responses of the named connections, or the responses of all connections that
/// you may use. Requires the permission to purge. If replicas share their state, the
/// responses are removed on all replicas.
#[utoipa::path(
    delete,
    path = "/cache",
    operation_id = "purgeCache",
    tag = "Operations",
    params(
        ("connection" = Option<Vec<String>>, Query, description = "The connections to purge. Defaults to all connections that you may use.", example = json!(["affiliates"])),
        ("customer" = Option<String>, Query, description = "The id of a customer. Only responses that contain the customer are removed.", example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW"),
    ),
    responses((status = 200, description = "The number of removed cache entries.", body = Purged), PurgeProblems),
)]
pub(crate) async fn purge_cache(
    State(state): State<ApiState>,
    Authorized(access): Authorized,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = QueryString::parse(query.as_deref(), &["connection", "customer"])?;
    if !access.may_purge() {
        return Err(Problem::new(Code::Forbidden, "the caller lacks the permission to purge the cache"));
    }
    let connections = requested_connections(&query, &state.directory, &access)?;
    let scope = match query.one("customer")? {
        None => {
            record_connections(&connections);
            Scope::Connections(connections)
        }
        Some(id) => {
            let (connection, vendor_id) = customer_id(id, &access, &state.directory)?;
            record_connections(from_ref(&connection));
            Scope::Customer(connection, vendor_id)
        }
    };
    let purge = state.directory.purge(&scope).await;
    let purged = Purged {
        purged: purge.entries,
        replicas: purge.confirmations.map(|confirmations| confirmations.replicas),
        confirmed: purge.confirmations.map(|confirmations| confirmations.confirmed),
    };
    Ok(page::json(serde_json::to_vec(&purged).unwrap_or_default()))
}
