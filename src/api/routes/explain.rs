//! `GET /explain/customers` and `GET /explain/transactions`.

use axum::{extract::State, response::Response};

use crate::{
    api::{
        body::{explanation::Explanation, page, rejection::list_problem},
        openapi::{
            headers::PreferenceHeaders,
            problems::{ExplainCustomersProblems, ExplainTransactionsProblems},
        },
        parameters::{
            ConnectionParameters, CustomerParameters, CustomerShapeParameters, ListParts, ListRequest, PageParameters,
            TransactionParameters, TransactionShapeParameters,
        },
        state::ApiState,
    },
    telemetry::request::record_connections,
    web::{
        prefer::{LENIENT, PREFERENCE_APPLIED},
        problem::Problem,
    },
};

/// Explain a list of customers
///
/// Returns the vendor requests and the cost of `GET /customers` with the same
/// parameters. Makes no vendor call.
#[utoipa::path(
    get,
    path = "/explain/customers",
    operation_id = "explainCustomers",
    tag = "Explain",
    params(ConnectionParameters, PageParameters, CustomerParameters, CustomerShapeParameters, PreferenceHeaders),
    responses((status = 200, description = "The explanation.", body = Explanation), ExplainCustomersProblems),
)]
pub(crate) async fn explain_customers(State(state): State<ApiState>, parts: ListParts) -> Result<Response, Problem> {
    explain(&state, &parts, &ListRequest::customers(&parts)?).await
}

/// Explain a list of transactions
///
/// Returns the vendor requests and the cost of `GET /transactions` with the same
/// parameters. Makes no vendor call.
#[utoipa::path(
    get,
    path = "/explain/transactions",
    operation_id = "explainTransactions",
    tag = "Explain",
    params(ConnectionParameters, PageParameters, TransactionParameters, TransactionShapeParameters, PreferenceHeaders),
    responses((status = 200, description = "The explanation.", body = Explanation), ExplainTransactionsProblems),
)]
pub(crate) async fn explain_transactions(State(state): State<ApiState>, parts: ListParts) -> Result<Response, Problem> {
    explain(&state, &parts, &ListRequest::transactions(&parts)?).await
}

async fn explain(state: &ApiState, parts: &ListParts, request: &ListRequest) -> Result<Response, Problem> {
    request.reject_export_parameters()?;
    record_connections(&request.page.connections);
    let explained = state.directory.explain(&request.query, &request.page).await?;
    let rejection = explained.rejection.clone().map(|error| list_problem(error, request, parts));
    let explanation = Explanation::new(&explained, &request.page, rejection);
    let mut response = page::json(serde_json::to_vec(&explanation).unwrap_or_default());
    if request.page.is_lenient {
        response.headers_mut().insert(PREFERENCE_APPLIED, LENIENT);
    }
    Ok(response)
}
