//! `GET /connections` and `GET /connections/{name}`.

use std::{collections::BTreeMap, slice::from_ref};

use axum::{
    extract::{RawPathParams, State},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        auth::Authorized,
        body::{
            page,
            upstream::{Breaker, Budget},
        },
        openapi::problems::{GetConnectionProblems, ListConnectionsProblems},
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
    web::problem::Problem,
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
/// rate budgets and circuit breakers.
#[utoipa::path(
    get,
    path = "/connections",
    operation_id = "listConnections",
    tag = "Connections",
    responses((status = 200, description = "The connections.", body = ConnectionList), ListConnectionsProblems),
)]
pub(crate) async fn list_connections(State(state): State<ApiState>, Authorized(access): Authorized) -> Response {
    let allowed = state.directory.sources().filter(|source| access.allows(source.name().as_str()));
    let list = ConnectionList { data: allowed.map(|source| Connection::new(source, &access)).collect() };
    page::json(serde_json::to_vec(&list).unwrap_or_default())
}

/// Get a connection
///
/// Returns a connection with its supported parameters, rate budget and circuit
/// breaker.
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
    let name = path_id(&path);
    let found = state.directory.sources_named(&[name]).ok().filter(|_| access.allows(name));
    let source = found.and_then(|sources| sources.first().copied());
    let source = source.ok_or_else(|| unknown_connection(name, &access, &state.directory))?;
    record_connections(from_ref(source.name()));
    Ok(page::json(serde_json::to_vec(&Connection::new(source, &access)).unwrap_or_default()))
}

impl<'c> Connection<'c> {
    fn new(source: &'c Source, access: &'c Access) -> Self {
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
