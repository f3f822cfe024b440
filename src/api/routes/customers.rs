//! `GET /customers` and `GET /customers/{id}`.

use std::slice::from_ref;

use axum::{
    extract::{RawPathParams, RawQuery, State},
    response::Response,
};
use http::HeaderMap;

use crate::{
    api::{
        auth::Authorized,
        body::{
            list::{batch, list},
            page::{self, CustomerPage},
        },
        openapi::{
            headers::{CachingHeaders, NotModified, PreferenceHeaders},
            problems::{GetCustomerProblems, ListCustomersProblems},
        },
        parameters::{
            BatchParameters, ConnectionParameters, CustomerParameters, CustomerShapeParameters, CustomersRequest,
            ExportParameters, ListParts, PageParameters, customer_id, customer_shape, missing_customer, path_id,
        },
        state::ApiState,
    },
    directory::{Deadline, DirectoryError},
    domain::{customer::Customer, query::Retrieval},
    telemetry::request::record_connections,
    web::{cache_control, conditional, problem::Problem},
};

/// List customers
///
/// Returns the customers of your connections, page by page. If a connection does
/// not support a parameter, the request is rejected; parameters are never ignored
/// silently. `GET /connections` lists the supported parameters.
///
/// With `id`, the response has the customers with these ids, in the order of the
/// request. Cached customers cost no vendor call, and the others are fetched
/// concurrently.
///
/// With `Accept: application/x-ndjson` or `text/csv`, and without `limit`, the
/// response is an export: a stream of the whole list with one row per line. The
/// stream pauses when a vendor's rate limit requires it. After each page and at
/// the end, the stream contains a checkpoint, whose `export.status` is
/// `continues`, `complete` or `incomplete`. To resume an interrupted stream,
/// repeat the request with the last `export.cursor` of the stream.
#[utoipa::path(
    get,
    path = "/customers",
    operation_id = "listCustomers",
    tag = "Customers",
    params(ConnectionParameters, PageParameters, CustomerParameters, BatchParameters, CustomerShapeParameters, ExportParameters, CachingHeaders, PreferenceHeaders),
    responses((status = 200, description = "A page of customers.", body = CustomerPage), NotModified, ListCustomersProblems),
)]
pub(crate) async fn list_customers(State(state): State<ApiState>, parts: ListParts) -> Result<Response, Problem> {
    match CustomersRequest::new(&parts)? {
        CustomersRequest::List(request) => list(&state, &parts, *request).await,
        CustomersRequest::Batch(request) => batch(&state, &parts, *request).await,
    }
}

/// Get a customer
///
/// Returns one customer. The id contains the name of the connection.
#[utoipa::path(
    get,
    path = "/customers/{id}",
    operation_id = "getCustomer",
    tag = "Customers",
    params(
        ("id" = String, Path, description = "The id of the customer, `<connection>.<vendor's id>`.", example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW"),
        CustomerShapeParameters,
        CachingHeaders,
    ),
    responses((status = 200, description = "The customer.", body = Customer), NotModified, GetCustomerProblems),
)]
pub(crate) async fn get_customer(
    State(state): State<ApiState>,
    Authorized(access): Authorized,
    path: RawPathParams,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (shape, projection) = customer_shape(query.as_deref(), &access)?;
    let (connection, vendor_id) = customer_id(path_id(&path), &access, &state.directory)?;
    record_connections(from_ref(&connection));
    let retrieval = Retrieval { vendor_id, shape };
    let directives = cache_control::parse(&headers);
    let deadline = Deadline::within(state.request_timeout, &*state.clock);
    let record = state.directory.retrieve(&connection, &retrieval, directives, access.caller_share(), deadline).await;
    let record = record.map_err(|error| match error {
        DirectoryError::NotFound => missing_customer(&connection, &retrieval.vendor_id),
        error => error.into(),
    })?;
    Ok(conditional::respond(&headers, page::single(record, projection.as_ref())).await)
}
