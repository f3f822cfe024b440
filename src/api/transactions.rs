//! `GET /transactions` and `GET /customers/{id}/transactions`.

use axum::{
    extract::{RawPathParams, RawQuery, State},
    response::Response,
};
use http::HeaderMap;

use super::{
    ApiState,
    access::Access,
    caching,
    openapi::headers::{CachingHeaders, NotModified},
    page::{self, TransactionPage},
    parameters::{self, ConnectionParameters, ListRequest, PageParameters, TransactionShapeParameters},
    problem::{
        Problem,
        documented::{ListCustomerTransactionsProblems, ListTransactionsProblems},
    },
};

/// List transactions
///
/// Filters, orders and pages through the transactions of a connection whose
/// vendor has them.
#[utoipa::path(
    get,
    path = "/transactions",
    operation_id = "listTransactions",
    tag = "Transactions",
    params(
        ConnectionParameters,
        PageParameters,
        ("customer_id" = Option<String>, Query, description = "Only transactions of this customer, by the id at the gateway.", example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW"),
        TransactionShapeParameters,
        CachingHeaders,
    ),
    responses((status = 200, description = "A page of transactions.", body = TransactionPage), NotModified, ListTransactionsProblems),
)]
pub(super) async fn list_transactions(
    State(state): State<ApiState>,
    access: Access,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let request = parameters::transactions(query.as_deref(), &state.directory, &access, caching::demand(&headers))?;
    answer(&state, &headers, &request).await
}

/// List a customer's transactions
///
/// As `GET /transactions` with that customer's id.
#[utoipa::path(
    get,
    path = "/customers/{id}/transactions",
    operation_id = "listCustomerTransactions",
    tag = "Transactions",
    params(
        ("id" = String, Path, description = "The customer's id, `<connection>.<vendor's id>`.", example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW"),
        PageParameters,
        TransactionShapeParameters,
        CachingHeaders,
    ),
    responses((status = 200, description = "A page of transactions.", body = TransactionPage), NotModified, ListCustomerTransactionsProblems),
)]
pub(super) async fn list_customer_transactions(
    State(state): State<ApiState>,
    access: Access,
    path: RawPathParams,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = parameters::path_id(&path);
    let request = parameters::customer_transactions(query.as_deref(), id, &access, caching::demand(&headers))?;
    answer(&state, &headers, &request).await
}

async fn answer(state: &ApiState, headers: &HeaderMap, request: &ListRequest) -> Result<Response, Problem> {
    let listed = state.directory.list(&request.question, &request.connections, &request.page).await?;
    Ok(caching::answer(headers, page::list(listed, request.page.limit)))
}
