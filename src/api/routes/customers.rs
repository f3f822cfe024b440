//! `GET /customers` and `GET /customers/{id}`.

use std::slice::from_ref;

use axum::{
    extract::{RawPathParams, RawQuery, State},
    response::Response,
};

use http::HeaderMap;

use crate::{
    api::{
        body::{
            list::list,
            page::{self, CustomerPage},
        },
        openapi::{
            headers::{CachingHeaders, NotModified, PreferenceHeaders},
            problems::{GetCustomerProblems, ListCustomersProblems},
        },
        parameters::{
            self, ConnectionParameters, CustomerParameters, CustomerShapeParameters, ListParts, PageParameters,
        },
        state::ApiState,
    },
    callers::Access,
    domain::{customer::Customer, query::Retrieval},
    telemetry::request::record_connections,
    web::{conditional, problem::Problem},
};

/// List customers
///
/// Filters, orders and pages through the customers of all connections, or of
/// those named. What a connection cannot honour is refused by name, never
/// dropped: see `GET /connections`.
///
/// With `Accept: application/x-ndjson` or `text/csv`, and without `limit`, the
/// whole list comes as one stream, a row a line. It waits where a vendor's rate
/// limit says so, and says where it stands: after each page, and at its end,
/// where `export.status` is `complete` or `incomplete`. One that breaks off is
/// resumed with the last `export.cursor` it holds.
#[utoipa::path(
    get,
    path = "/customers",
    operation_id = "listCustomers",
    tag = "Customers",
    params(ConnectionParameters, PageParameters, CustomerParameters, CustomerShapeParameters, CachingHeaders, PreferenceHeaders),
    responses((status = 200, description = "A page of customers.", body = CustomerPage), NotModified, ListCustomersProblems),
)]
pub(crate) async fn list_customers(State(state): State<ApiState>, asker: ListParts) -> Result<Response, Problem> {
    list(&state, &asker.headers, parameters::customers(&asker)?).await
}

/// Get a customer
///
/// The id routes itself: it begins with the connection's name.
#[utoipa::path(
    get,
    path = "/customers/{id}",
    operation_id = "getCustomer",
    tag = "Customers",
    params(
        ("id" = String, Path, description = "The customer's id, `<connection>.<vendor's id>`.", example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW"),
        CustomerShapeParameters,
        CachingHeaders,
    ),
    responses((status = 200, description = "The customer.", body = Customer), NotModified, GetCustomerProblems),
)]
pub(crate) async fn get_customer(
    State(state): State<ApiState>,
    access: Access,
    path: RawPathParams,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shape = parameters::customer_shape(query.as_deref(), &access)?;
    let (connection, vendor_id) = parameters::customer_id(parameters::path_id(&path), &access)?;
    record_connections(from_ref(&connection));
    let retrieval = Retrieval { vendor_id, shape };
    let directives = conditional::parse_cache_control(&headers);
    let found = state.directory.retrieve(&connection, &retrieval, directives, access.caller_share()).await?;
    Ok(conditional::answer(&headers, page::single(found)))
}
