//! `GET /transactions` and `GET /customers/{id}/transactions`.

use axum::{
    extract::{RawPathParams, State},
    response::Response,
};

use crate::{
    api::{
        body::{list::list, page::TransactionPage},
        openapi::{
            headers::{CachingHeaders, NotModified, PreferenceHeaders},
            problems::{ListCustomerTransactionsProblems, ListTransactionsProblems},
        },
        parameters::{
            ConnectionParameters, ExportParameters, ListParts, ListRequest, PageParameters, TransactionParameters,
            TransactionShapeParameters, path_id,
        },
        state::ApiState,
    },
    web::problem::Problem,
};

/// List transactions
///
/// Returns the transactions of your connections, page by page. Connections whose
/// vendor has no transactions are skipped unless the request names them.
///
/// With `Accept: application/x-ndjson` or `text/csv`, the response is an export,
/// as for `GET /customers`.
#[utoipa::path(
    get,
    path = "/transactions",
    operation_id = "listTransactions",
    tag = "Transactions",
    params(
        ConnectionParameters,
        PageParameters,
        TransactionParameters,
        TransactionShapeParameters,
        ExportParameters,
        CachingHeaders,
        PreferenceHeaders,
    ),
    responses((status = 200, description = "A page of transactions.", body = TransactionPage), NotModified, ListTransactionsProblems),
)]
pub(crate) async fn list_transactions(State(state): State<ApiState>, parts: ListParts) -> Result<Response, Problem> {
    list(&state, &parts, ListRequest::transactions(&parts)?).await
}

/// List a customer's transactions
///
/// Returns the transactions of one customer, page by page. Equivalent to
/// `GET /transactions` with `customer_id`.
#[utoipa::path(
    get,
    path = "/customers/{id}/transactions",
    operation_id = "listCustomerTransactions",
    tag = "Transactions",
    params(
        ("id" = String, Path, description = "The id of the customer, `<connection>.<vendor's id>`.", example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW"),
        PageParameters,
        TransactionShapeParameters,
        ExportParameters,
        CachingHeaders,
        PreferenceHeaders,
    ),
    responses((status = 200, description = "A page of transactions.", body = TransactionPage), NotModified, ListCustomerTransactionsProblems),
)]
pub(crate) async fn list_customer_transactions(
    State(state): State<ApiState>,
    path: RawPathParams,
    parts: ListParts,
) -> Result<Response, Problem> {
    list(&state, &parts, ListRequest::customer_transactions(&parts, path_id(&path))?).await
}
