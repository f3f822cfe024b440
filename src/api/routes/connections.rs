//! `GET /connections` and `GET /connections/{name}`: what the caller may use,
//! read from the tables that the planner reads.

use std::{collections::BTreeMap, slice::from_ref};

use axum::{
    extract::{RawPathParams, State},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        body::page,
        openapi::problems::{GetConnectionProblems, ListConnectionsProblems},
        parameters::{CUSTOMER_FILTERS, TRANSACTION_FILTERS, path_id},
        state::ApiState,
    },
    callers::Access,
    clock::ceil_seconds,
    directory::Source,
    domain::parameter::Parameter,
    telemetry::request::record_connections,
    upstream::{BreakerState, CallerShare, Upstream},
    vendors::capabilities::{Applied, ListCapabilities, expansion_names},
    web::problem::{Code, Problem},
};

/// The connections that the caller may use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionList<'c> {
    /// The connections, in the configuration's order.
    data: Vec<Connection<'c>>,
}

/// One configured account at a vendor.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Connection<'c> {
    /// Its name.
    #[schema(example = "affiliates")]
    name: &'c str,
    /// The kind of vendor.
    #[schema(example = "tolt", extensions(("x-extensible-enum" = json!(["tolt", "corporation"]))))]
    vendor: &'static str,
    /// What its list of customers can be asked.
    customers: ListSupport,
    /// What a single customer can be expanded by.
    #[schema(example = json!(["partner", "program", "stats"]))]
    customer_expand: Vec<&'static str>,
    /// What its list of transactions can be asked; absent where the vendor has
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    transactions: Option<ListSupport>,
    /// What is left of the credential's rate budget.
    budget: Budget,
    /// Whether the vendor is asked.
    breaker: Breaker,
}

/// What is left of a credential's rate budget, which connections that hold the
/// same credential share.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Budget {
    /// How many vendor calls would be let pass at once.
    #[schema(example = 5)]
    remaining: u32,
    /// How many of them the caller's share would let pass at once; null if it
    /// has none, and may take all.
    #[schema(value_type = Option<i64>, example = json!(null))]
    share_remaining: Option<u32>,
    /// How many calls wait for a place.
    #[schema(example = 0)]
    waiting: u32,
    /// For how many more seconds the vendor has stopped the credential; null
    /// if it has not.
    #[schema(value_type = Option<i64>, example = json!(null))]
    blocked_for: Option<u64>,
}

/// Whether a vendor is asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Breaker {
    /// `closed` (it is), `open` (it fails, and is left alone) or `half_open`
    /// (one call finds out).
    #[schema(example = "closed", extensions(("x-extensible-enum" = json!(["closed", "open", "half_open"]))))]
    state: &'static str,
    /// In how many seconds it is asked again; null unless it is left alone.
    #[schema(value_type = Option<i64>, example = json!(null))]
    retry_after: Option<u64>,
}

/// What a list can be asked; absent where the vendor has no such list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListSupport {
    /// Who applies each parameter: `native` (the vendor), `gateway` (the
    /// gateway, over the vendor's pages) or `unsupported` (nobody).
    #[schema(value_type = BTreeMap<String, String>, example = json!({"status": "native", "email": "gateway", "has_exemption": "unsupported"}))]
    parameters: BTreeMap<&'static str, Applied>,
    /// What each row can be expanded by.
    #[schema(example = json!(["partner", "program"]))]
    expand: Vec<&'static str>,
}

impl ListSupport {
    fn of(list: &ListCapabilities, parameters: &[Parameter]) -> Self {
        Self { parameters: list.applied(parameters), expand: expansion_names(list.expand) }
    }
}

impl Budget {
    pub(crate) fn of(upstream: &Upstream, caller_share: Option<&CallerShare>) -> Self {
        let state = upstream.budget();
        Self {
            remaining: state.remaining,
            share_remaining: caller_share.map(|caller_share| upstream.share_remaining(caller_share)),
            waiting: state.waiting,
            blocked_for: state.blocked_for.map(ceil_seconds),
        }
    }
}

impl Breaker {
    pub(crate) fn of(state: BreakerState) -> Self {
        match state {
            BreakerState::Closed => Self { state: "closed", retry_after: None },
            BreakerState::Open(left) => Self { state: "open", retry_after: Some(ceil_seconds(left)) },
            BreakerState::HalfOpen => Self { state: "half_open", retry_after: None },
        }
    }
}

impl<'c> Connection<'c> {
    fn of(source: &'c Source, access: &Access) -> Self {
        let capabilities = source.capabilities();
        Self {
            name: source.name().as_str(),
            vendor: source.vendor(),
            customers: ListSupport::of(&capabilities.customers, CUSTOMER_FILTERS),
            customer_expand: expansion_names(capabilities.retrieve_expand),
            transactions: capabilities.transactions.as_ref().map(|list| ListSupport::of(list, TRANSACTION_FILTERS)),
            budget: Budget::of(source.upstream(), access.caller_share().as_ref()),
            breaker: Breaker::of(source.upstream().breaker()),
        }
    }
}

/// List connections
///
/// The connections that the caller may use, and what each can be asked.
#[utoipa::path(
    get,
    path = "/connections",
    operation_id = "listConnections",
    tag = "Connections",
    responses((status = 200, description = "The connections.", body = ConnectionList), ListConnectionsProblems),
)]
pub(crate) async fn list_connections(State(state): State<ApiState>, access: Access) -> Response {
    let allowed = state.directory.sources().filter(|source| access.allows(source.name().as_str()));
    let list = ConnectionList { data: allowed.map(|source| Connection::of(source, &access)).collect() };
    page::json(serde_json::to_vec(&list).unwrap_or_default())
}

/// Get a connection
///
/// What the connection can be asked.
#[utoipa::path(
    get,
    path = "/connections/{name}",
    operation_id = "getConnection",
    tag = "Connections",
    params(("name" = String, Path, description = "The connection's name.", example = "affiliates")),
    responses((status = 200, description = "The connection.", body = Connection), GetConnectionProblems),
)]
pub(crate) async fn get_connection(
    State(state): State<ApiState>,
    access: Access,
    path: RawPathParams,
) -> Result<Response, Problem> {
    let name = path_id(&path);
    let source = state.directory.sources().find(|source| source.name().as_str() == name && access.allows(name));
    let source =
        source.ok_or_else(|| Problem::new(Code::ConnectionNotFound, format!("there is no connection `{name}`")))?;
    record_connections(from_ref(source.name()));
    Ok(page::json(serde_json::to_vec(&Connection::of(source, &access)).unwrap_or_default()))
}
