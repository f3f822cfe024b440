//! `GET /explain/customers` and `GET /explain/transactions`: what asking would
//! do.

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        body::page,
        openapi::{
            headers::PreferenceHeaders,
            problems::{ExplainCustomersProblems, ExplainTransactionsProblems},
        },
        parameters::{
            self, ConnectionParameters, CustomerParameters, CustomerShapeParameters, ListParts, ListRequest,
            PageParameters, TransactionShapeParameters,
        },
        routes::connections::{Breaker, Budget},
        state::ApiState,
    },
    directory::{CallEstimate, DirectoryError, Explained, ExplainedRequest, ExplainedSource, PageRequest},
    telemetry::request::record_connections,
    upstream::CallerShare,
    vendors::plan::{NativeParameter, Plan},
    web::{
        prefer::{LENIENT, PREFERENCE_APPLIED},
        problem::{Problem, SourceProblem},
    },
};

/// What asking a question would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explanation<'e> {
    /// How several connections become one list: `sequential`, or
    /// `merged` by `created_at` and `id`. An open list.
    #[schema(example = "sequential", extensions(("x-extensible-enum" = json!(["sequential", "merged"]))))]
    strategy: &'static str,
    /// How many rows the page would hold at most.
    #[schema(example = 20)]
    limit: usize,
    /// How many vendor calls the answer may cost.
    #[schema(example = 20)]
    max_calls: u32,
    /// How many it would cost, at all connections together.
    calls: Calls,
    /// Each connection's part, in the list's order.
    sources: Vec<Source<'e>>,
}

/// How many vendor calls an answer costs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedCalls)]
struct Calls {
    /// At least so many.
    #[schema(example = 1)]
    min: u32,
    /// At most so many, if the vendors fill their pages.
    #[schema(example = 2)]
    max: u32,
}

/// What a connection would be asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedSource)]
struct Source<'e> {
    /// The connection's name.
    #[schema(example = "affiliates")]
    connection: &'e str,
    /// The kind of vendor.
    #[schema(example = "tolt")]
    vendor: &'static str,
    /// `asked`, or answered for from the cache; `not_asked`, where the page
    /// would surely or perhaps need nothing of it; `skipped`, where it cannot
    /// honour the question. An open list.
    #[schema(example = "asked", extensions(("x-extensible-enum" = json!(["asked", "not_asked", "skipped"]))))]
    status: &'static str,
    /// The requests whose answers the page would be made of, as far as the
    /// cache tells: what follows an answer that is not kept depends on it.
    requests: Vec<Request<'e>>,
    /// The parameters that the vendor applies, in its own words.
    native: Vec<Native<'e>>,
    /// The parameters that the gateway applies to the rows that come.
    #[schema(example = json!(["email"]))]
    gateway: Vec<&'static str>,
    /// Who keeps the order: `native` (the vendor), `gateway` (it is made of all
    /// rows), or `none` (the vendor promises none, and none was asked for). An
    /// open list.
    #[schema(example = "native", extensions(("x-extensible-enum" = json!(["native", "gateway", "none"]))))]
    order: &'static str,
    /// How its pages are gone through: `paged`, until there are enough
    /// rows, or `full_scan`, to sort them. An open list.
    #[schema(example = "paged", extensions(("x-extensible-enum" = json!(["paged", "full_scan"]))))]
    paging: &'static str,
    /// How many vendor calls it would cost here.
    calls: Calls,
    /// What is left of the credential's rate budget.
    budget: Budget,
    /// Whether the vendor is asked at all.
    breaker: Breaker,
    /// Why it would be `skipped`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<SourceProblem>,
}

/// A request to a vendor, as it would be sent but for the credential.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedRequest)]
struct Request<'e> {
    /// The HTTP method.
    #[schema(example = "GET")]
    method: &'static str,
    /// The whole URL.
    #[schema(
        example = "https://api.tolt.com/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&status=active&order=desc&limit=100"
    )]
    url: &'e str,
    /// Whether it would be sent: for want of a kept answer, or to renew a
    /// stale one while that is used.
    #[schema(example = false)]
    sent: bool,
    /// How old the kept answer is that would be used, in seconds; null where
    /// none would.
    #[schema(value_type = Option<i64>, example = 12)]
    age: Option<u64>,
}

/// A parameter in the vendor's words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedParameter)]
struct Native<'e> {
    /// The name of the parameter here.
    #[schema(example = "status")]
    parameter: &'static str,
    /// The name that the vendor has for it.
    #[schema(example = "status")]
    name: &'static str,
    /// Its value, as the vendor takes it.
    #[schema(example = "active")]
    value: &'e str,
}

impl<'e> Explanation<'e> {
    fn of(explained: &'e Explained, page: &PageRequest) -> Self {
        Self {
            strategy: if explained.is_merged { "merged" } else { "sequential" },
            limit: page.limit,
            max_calls: explained.allowed,
            calls: explained.calls.into(),
            sources: explained.sources.iter().map(|source| Source::of(source, page.caller_share.as_ref())).collect(),
        }
    }
}

impl<'e> Source<'e> {
    fn of(explained: &'e ExplainedSource, caller_share: Option<&CallerShare>) -> Self {
        let source = &explained.source;
        let plan = explained.plan.as_ref().ok();
        let skipped = explained.plan.as_ref().err().map(|error| {
            let error = DirectoryError::Plan(source.name().clone(), error.clone());
            SourceProblem::from(Problem::from(error))
        });
        let is_sorted = plan.is_some_and(|plan| plan.sort.is_some());
        Self {
            connection: source.name().as_str(),
            vendor: source.vendor(),
            status: match (&skipped, explained.requests.is_empty()) {
                (Some(_), _) => "skipped",
                (None, true) => "not_asked",
                (None, false) => "asked",
            },
            requests: explained.requests.iter().map(Request::of).collect(),
            native: plan.map_or_else(Vec::new, |plan| plan.native.iter().map(Native::of).collect()),
            gateway: plan.map_or_else(Vec::new, |plan| plan.gateway.iter().map(|it| it.name()).collect()),
            order: plan.map_or("none", |plan| order(plan)),
            paging: if is_sorted { "full_scan" } else { "paged" },
            calls: explained.calls.into(),
            budget: Budget::of(source.upstream(), caller_share),
            breaker: Breaker::of(source.upstream().breaker()),
            problem: skipped,
        }
    }
}

fn order(plan: &Plan) -> &'static str {
    match (plan.sort, plan.order) {
        (Some(_), _) => "gateway",
        (None, Some(_)) => "native",
        (None, None) => "none",
    }
}

impl<'e> Request<'e> {
    fn of(request: &'e ExplainedRequest) -> Self {
        let age = request.age.map(|age| age.as_secs());
        Self { method: "GET", url: &request.url, sent: request.is_sent, age }
    }
}

impl<'e> Native<'e> {
    fn of(native: &'e NativeParameter) -> Self {
        Self { parameter: native.parameter.name(), name: native.name, value: &native.value }
    }
}

impl From<CallEstimate> for Calls {
    fn from(CallEstimate { min, max }: CallEstimate) -> Self {
        Self { min, max }
    }
}

/// Explain a list of customers
///
/// What `GET /customers` with the same parameters would do: what each vendor
/// would be asked, what the gateway would do itself, what is kept, and what it
/// costs. No vendor is asked.
#[utoipa::path(
    get,
    path = "/explain/customers",
    operation_id = "explainCustomers",
    tag = "Explain",
    params(ConnectionParameters, PageParameters, CustomerParameters, CustomerShapeParameters, PreferenceHeaders),
    responses((status = 200, description = "What asking would do.", body = Explanation), ExplainCustomersProblems),
)]
pub(crate) async fn explain_customers(State(state): State<ApiState>, asker: ListParts) -> Result<Response, Problem> {
    explain(&state, &parameters::customers(&asker)?).await
}

/// Explain a list of transactions
///
/// What `GET /transactions` with the same parameters would do. No vendor is
/// asked.
#[utoipa::path(
    get,
    path = "/explain/transactions",
    operation_id = "explainTransactions",
    tag = "Explain",
    params(
        ConnectionParameters,
        PageParameters,
        ("customer_id" = Option<String>, Query, description = "Only transactions of this customer, by the id at the gateway.", example = "affiliates.cust_dK9bzRGn46BhVgNFHD6fDgXW"),
        TransactionShapeParameters,
        PreferenceHeaders,
    ),
    responses((status = 200, description = "What asking would do.", body = Explanation), ExplainTransactionsProblems),
)]
pub(crate) async fn explain_transactions(State(state): State<ApiState>, asker: ListParts) -> Result<Response, Problem> {
    explain(&state, &parameters::transactions(&asker)?).await
}

async fn explain(state: &ApiState, request: &ListRequest) -> Result<Response, Problem> {
    record_connections(&request.page.connections);
    let explained = state.directory.explain(&request.question, &request.page).await?;
    let explanation = Explanation::of(&explained, &request.page);
    let mut response = page::json(serde_json::to_vec(&explanation).unwrap_or_default());
    if request.page.is_lenient {
        response.headers_mut().insert(PREFERENCE_APPLIED, LENIENT);
    }
    Ok(response)
}
