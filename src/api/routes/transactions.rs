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
        parameters::{self, ConnectionParameters, ListParts, PageParameters, TransactionShapeParameters},
        state::ApiState,
    },
    web::problem::Problem,
};

/// List transactions
///
/// Filters, orders and pages through the transactions of all connections whose
/// vendor has them, or of those named. Streams them all where the request
/// accepts `application/x-ndjson` or `text/csv`, as `GET /customers` does.
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
        PreferenceHeaders,
    ),
    responses((status = 200, description = "A page of transactions.", body = TransactionPage), NotModified, ListTransactionsProblems),
)]
pub(crate) async fn list_transactions(State(state): State<ApiState>, asker: ListParts) -> Result<Response, Problem> {
    list(&state, &asker.headers, parameters::transactions(&asker)?).await
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
        PreferenceHeaders,
    ),
    responses((status = 200, description = "A page of transactions.", body = TransactionPage), NotModified, ListCustomerTransactionsProblems),
)]
pub(crate) async fn list_customer_transactions(
    State(state): State<ApiState>,
    path: RawPathParams,
    asker: ListParts,
) -> Result<Response, Problem> {
    list(&state, &asker.headers, parameters::customer_transactions(&asker, parameters::path_id(&path))?).await
}
