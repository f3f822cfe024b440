//! `GET /connections`, `GET /connections/{name}` and `POST /connections/{name}/sync`.

use std::{collections::BTreeMap, slice::from_ref, time::Duration};

use axum::{
    body::Body,
    extract::{RawPathParams, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        auth::Authorized,
        body::{
            page,
            sync::SyncReport,
            upstream::{Breaker, Budget},
        },
        openapi::problems::{GetConnectionProblems, ListConnectionsProblems, StartSyncProblems},
        parameters::{CUSTOMER_FILTERS, TRANSACTION_FILTERS, path_id, unknown_connection},
        state::ApiState,
    },
    callers::Access,
    directory::Source,
    domain::{
        field_policy::HiddenFields,
        parameter::Parameter,
        query::{Expansion, Resource},
    },
    telemetry::request::record_connections,
    vendors::capabilities::{Applied, ListCapabilities},
    web::{
        middleware::request::reject_body,
        problem::{Code, Problem},
    },
};

/// A list of connections.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionList<'c> {
    /// The connections, in configuration order.
    data: Vec<Connection<'c>>,
}

/// A configured vendor account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Connection<'c> {
    /// The name of the connection.
    #[schema(example = "affiliates")]
    name: &'c str,
    /// The kind of vendor.
    #[schema(example = "tolt", extensions(("x-extensible-enum" = json!(["tolt", "corporation"]))))]
    vendor: &'static str,
    /// The supported parameters of the list of customers.
    customers: ListSupport,
    /// The supported values of `expand` for a single customer.
    #[schema(example = json!(["partner", "program", "stats"]))]
    customer_expand: Vec<&'static str>,
    /// The supported parameters of the list of transactions. Absent if the vendor
    /// has no transactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    transactions: Option<ListSupport>,
    /// The rate budget of the connection's credential.
    budget: Budget,
    /// The circuit breaker of the connection.
    breaker: Breaker,
    /// The stored lists of the connection. Absent if the connection stores no lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sync: Option<SyncReport>,
}

/// The supported parameters of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListSupport {
    /// The support of each parameter. `native`: the vendor applies the parameter.
    /// `gateway`: the gateway applies the parameter to the vendor's pages.
    /// `unsupported`: a request with the parameter is rejected. Parameters that
    /// would disclose a hidden field are `unsupported`.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"status": "native", "email": "gateway", "has_exemption": "unsupported"}))]
    parameters: BTreeMap<&'static str, Applied>,
    /// The supported values of `expand`.
    #[schema(example = json!(["partner", "program"]))]
    expand: Vec<&'static str>,
    /// The fields that are absent from your rows, by decision of the operator.
    #[schema(example = json!(["tax.business_identification_number"]))]
    denied_fields: Vec<&'static str>,
    /// The fields whose values are replaced by `***` in your rows, by decision of
    /// the operator.
    #[schema(example = json!(["email"]))]
    masked_fields: Vec<&'static str>,
}

/// List connections
///
/// Returns the connections that you may use, with their supported parameters,
/// rate budgets, circuit breakers and stored lists.
#[utoipa::path(
    get,
    path = "/connections",
    operation_id = "listConnections",
    tag = "Connections",
    responses((status = 200, description = "The connections.", body = ConnectionList), ListConnectionsProblems),
)]
pub(crate) async fn list_connections(State(state): State<ApiState>, Authorized(access): Authorized) -> Response {
    let allowed = state.directory.sources().filter(|source| access.allows(source.name().as_str()));
    let now = state.clock.elapsed();
    let list = ConnectionList { data: allowed.map(|source| Connection::new(source, &access, now)).collect() };
    page::json(serde_json::to_vec(&list).unwrap_or_default())
}

/// Get a connection
///
/// Returns a connection with its supported parameters, rate budget, circuit
/// breaker and stored lists.
#[utoipa::path(
    get,
    path = "/connections/{name}",
    operation_id = "getConnection",
    tag = "Connections",
    params(("name" = String, Path, description = "The name of the connection.", example = "affiliates")),
    responses((status = 200, description = "The connection.", body = Connection), GetConnectionProblems),
)]
pub(crate) async fn get_connection(
    State(state): State<ApiState>,
    Authorized(access): Authorized,
    path: RawPathParams,
) -> Result<Response, Problem> {
    let connection = Connection::new(named_source(&state, &access, &path)?, &access, state.clock.elapsed());
    Ok(page::json(serde_json::to_vec(&connection).unwrap_or_default()))
}

/// Start a walk of the stored lists
///
/// Requests a walk of each stored list of a connection as soon as possible, and
/// returns the state before it. A request while a walk runs has no effect. Requires the
/// permission to purge. `GET /connections/{name}` shows the progress.
#[utoipa::path(
    post,
    path = "/connections/{name}/sync",
    operation_id = "startSync",
    tag = "Connections",
    params(("name" = String, Path, description = "The name of the connection.", example = "affiliates")),
    responses((status = 202, description = "The walks are requested.", body = SyncReport), StartSyncProblems),
)]
pub(crate) async fn start_sync(
    State(state): State<ApiState>,
    Authorized(access): Authorized,
    path: RawPathParams,
    body: Body,
) -> Result<Response, Problem> {
    reject_body(&body)?;
    let source = named_source(&state, &access, &path)?;
    if !access.may_purge() {
        return Err(Problem::new(Code::Forbidden, "the caller lacks the permission to start a walk"));
    }
    let copies = source
        .copies()
        .ok_or_else(|| Problem::new(Code::NotSynced, format!("the connection `{}` stores no lists", source.name())))?;
    let report = SyncReport::new(copies, state.clock.elapsed());
    copies.lists().iter().for_each(|list| list.request_walk());
    let body = serde_json::to_vec(&report).unwrap_or_default();
    Ok((StatusCode::ACCEPTED, page::json(body)).into_response())
}

/// Returns the connection that a path names.
fn named_source<'s>(state: &'s ApiState, access: &Access, path: &RawPathParams) -> Result<&'s Source, Problem> {
    let name = path_id(path);
    let found = state.directory.sources_named(&[name]).ok().filter(|_| access.allows(name));
    let source = found.and_then(|sources| sources.first().copied());
    let source = source.ok_or_else(|| unknown_connection(name, access, &state.directory))?;
    record_connections(from_ref(source.name()));
    Ok(source)
}

impl<'c> Connection<'c> {
    /// Describes a connection at `now` on the clock of the process.
    fn new(source: &'c Source, access: &'c Access, now: Duration) -> Self {
        let capabilities = source.capabilities();
        let customers = Rows::new(Resource::Customers, access);
        let transactions = Rows::new(Resource::Transactions, access);
        Self {
            name: source.name().as_str(),
            vendor: source.vendor(),
            customers: customers.support(&capabilities.customers, CUSTOMER_FILTERS),
            customer_expand: customers.expansions(capabilities.retrieve_expand),
            transactions: capabilities
                .transactions
                .as_ref()
                .map(|list| transactions.support(list, TRANSACTION_FILTERS)),
            budget: Budget::new(source.upstream(), &access.caller_share()),
            breaker: source.upstream().breaker().into(),
            sync: source.copies().map(|copies| SyncReport::new(copies, now)),
        }
    }
}

/// Rows of a resource, as the caller may see them.
struct Rows<'a> {
    resource: Resource,
    hidden: &'a HiddenFields,
}

impl<'a> Rows<'a> {
    fn new(resource: Resource, access: &'a Access) -> Self {
        Self { resource, hidden: access.fields().hidden(resource) }
    }

    fn support(&self, list: &ListCapabilities, parameters: &[Parameter]) -> ListSupport {
        let mut applied = list.applied(parameters);
        for parameter in parameters.iter().filter(|parameter| self.hidden.disclosed_by(**parameter).is_some()) {
            applied.insert(parameter.name(), Applied::Unsupported);
        }
        ListSupport {
            parameters: applied,
            expand: self.expansions(list.expand),
            denied_fields: self.hidden.denied.clone(),
            masked_fields: self.hidden.masked.clone(),
        }
    }

    fn expansions(&self, supported: &[(Expansion, &'static str)]) -> Vec<&'static str> {
        let is_visible = |expansion: &Expansion| !self.hidden.denies_expansion(self.resource, *expansion);
        supported.iter().map(|(expansion, _)| expansion).filter(|it| is_visible(it)).map(|it| it.name()).collect()
    }
}
