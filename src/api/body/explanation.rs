//! Prediction of a list request: vendor requests, costs and support.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::body::upstream::{Breaker, Budget},
    directory::{self, DirectoryError, Explained, ExplainedSource, PageRequest, Strategy},
    upstream::CallerShare,
    vendors::plan::{NativeParameter, Plan},
    web::problem::{Problem, SourceProblem},
};

/// A prediction of the vendor requests and the cost of a list request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explanation<'e> {
    /// The combination of several connections. `sequential`: the connections are
    /// listed one by one. `concurrent`: all connections are searched at once until
    /// the page is full, because the request has `email`, `external_id` or `name`.
    /// `merged`: their rows are merged by `created_at` and `id`. New values may be
    /// added.
    #[schema(example = "sequential", extensions(("x-extensible-enum" = json!(["sequential", "concurrent", "merged"]))))]
    strategy: &'static str,
    /// The maximum number of rows on the page.
    #[schema(example = 20)]
    limit: usize,
    /// The maximum number of vendor calls that the request may make. Includes the
    /// calls to sort the rows of connections whose vendor cannot sort.
    #[schema(example = 20)]
    max_calls: u32,
    /// The estimated number of vendor calls on all connections together. With a
    /// `rejection`, the calls that the request would take without its limits.
    calls: CallEstimate,
    /// The maximum number of vendor calls that list all connections to the end, by
    /// the vendors' row counts in cached responses. Null if a row count is not
    /// known.
    #[schema(value_type = Option<i64>, example = 126)]
    calls_to_end: Option<u32>,
    /// The prediction for each connection, in list order. With several values of
    /// `status` or `partner_id`, for each connection and value.
    sources: Vec<SourceExplanation<'e>>,
    /// The problem with which the request would be rejected. Absent if the request
    /// would be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rejection: Option<SourceProblem>,
}

/// An estimated number of vendor calls.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedCalls)]
struct CallEstimate {
    /// The minimum number of vendor calls.
    #[schema(example = 1)]
    min: u32,
    /// The maximum number of vendor calls, if the vendors fill their pages.
    #[schema(example = 2)]
    max: u32,
}

/// The prediction for one connection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedSource)]
struct SourceExplanation<'e> {
    /// The name of the connection.
    #[schema(example = "affiliates")]
    connection: &'e str,
    /// The kind of vendor.
    #[schema(example = "tolt")]
    vendor: &'static str,
    /// `asked`: the page requires vendor responses or cached responses of the
    /// connection. `not_asked`: the page needs no rows of the connection, or may
    /// need none. `skipped`: the connection does not support the request.
    /// `rejected`: the request would be rejected because of the connection. New
    /// values may be added.
    #[schema(
        example = "asked",
        extensions(("x-extensible-enum" = json!(["asked", "not_asked", "skipped", "rejected"])))
    )]
    status: &'static str,
    /// The origin of the rows. `vendor`: vendor responses, cached or not. `sync`: the
    /// stored list of the connection, without vendor calls. Null for `skipped`. New
    /// values may be added.
    #[schema(
        value_type = Option<String>,
        example = "vendor",
        extensions(("x-extensible-enum" = json!(["vendor", "sync"])))
    )]
    origin: Option<&'static str>,
    /// The vendor requests for this page, as far as they can be predicted from
    /// cached pages. A request that depends on the response to an uncached
    /// request is omitted. At most 20 requests.
    requests: Vec<VendorRequest<'e>>,
    /// The number of further predicted requests, which `requests` omits.
    #[schema(example = 0)]
    omitted_requests: usize,
    /// The parameters that the vendor applies. For a parameter that is also in
    /// `gateway`, the vendor leaves out some of the rows that do not match, and the
    /// gateway filters the rest.
    native: Vec<VendorParameter<'e>>,
    /// The parameters that the gateway applies to the vendor's rows.
    #[schema(example = json!(["email"]))]
    gateway: Vec<&'static str>,
    /// The source of the order. `native`: the vendor sorts the rows. `gateway`:
    /// the gateway fetches all rows and sorts them. `none`: the request has no
    /// `order`, and the vendor guarantees none. New values may be added.
    #[schema(example = "native", extensions(("x-extensible-enum" = json!(["native", "gateway", "none"]))))]
    order: &'static str,
    /// The traversal of the vendor's pages. `paged`: vendor pages are fetched
    /// until the page is full. `full_scan`: all vendor pages are fetched, to sort
    /// the rows. New values may be added.
    #[schema(example = "paged", extensions(("x-extensible-enum" = json!(["paged", "full_scan"]))))]
    paging: &'static str,
    /// The estimated number of vendor calls on this connection.
    calls: CallEstimate,
    /// The maximum number of vendor calls that list the connection to the end, by
    /// the vendor's row count in a cached response. Null if the row count is not
    /// known.
    #[schema(value_type = Option<i64>, example = 25)]
    calls_to_end: Option<u32>,
    /// The rate budget of the connection's credential.
    budget: Budget,
    /// The circuit breaker of the connection.
    breaker: Breaker,
    /// The reason for `skipped` or `rejected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<SourceProblem>,
}

/// A vendor request, without the credential.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedRequest)]
struct VendorRequest<'e> {
    /// The HTTP method.
    #[schema(example = "GET")]
    method: &'static str,
    /// The complete URL.
    #[schema(
        example = "https://api.tolt.com/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&status=active&order=desc&limit=100"
    )]
    url: &'e str,
    /// True if the request would be sent: no usable response is cached, or a
    /// stale cached response would be served and refreshed in the background.
    #[schema(example = false)]
    sent: bool,
    /// The age of the cached response in seconds. Null if no cached response
    /// would be served.
    #[schema(value_type = Option<i64>, example = 12)]
    age: Option<u64>,
}

/// A parameter that the vendor applies.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedParameter)]
struct VendorParameter<'e> {
    /// The name of the parameter in this API.
    #[schema(example = "status")]
    parameter: &'static str,
    /// The name of the parameter at the vendor.
    #[schema(example = "status")]
    name: &'static str,
    /// The value in the vendor's format.
    #[schema(example = "active")]
    value: &'e str,
}

impl<'e> Explanation<'e> {
    /// Describes the explanation of a page.
    pub(crate) fn new(explained: &'e Explained, page: &PageRequest, rejection: Option<Problem>) -> Self {
        let caller = &page.caller;
        Self {
            strategy: match explained.strategy {
                Strategy::Sequential => "sequential",
                Strategy::Concurrent => "concurrent",
                Strategy::Merged(_) => "merged",
            },
            limit: page.limit,
            max_calls: explained.allowed,
            calls: explained.calls.into(),
            calls_to_end: explained.calls_to_end,
            sources: explained.sources.iter().map(|source| SourceExplanation::new(source, caller)).collect(),
            rejection: rejection.map(Into::into),
        }
    }
}

impl From<directory::CallEstimate> for CallEstimate {
    fn from(directory::CallEstimate { min, max }: directory::CallEstimate) -> Self {
        Self { min, max }
    }
}

impl<'e> SourceExplanation<'e> {
    fn new(explained: &'e ExplainedSource, caller: &CallerShare) -> Self {
        let source = &explained.source;
        let plan = explained.plan.as_ref().ok();
        let skipped =
            explained.plan.as_ref().err().map(|error| DirectoryError::Plan(source.name().clone(), error.clone()));
        let rejected = explained.rejection.clone();
        let is_sorted = plan.is_some_and(|plan| plan.sort.is_some());
        Self {
            connection: source.name().as_str(),
            vendor: source.vendor(),
            status: match (&skipped, &rejected, explained.requests.is_empty()) {
                (Some(_), _, _) => "skipped",
                (None, Some(_), _) => "rejected",
                (None, None, true) => "not_asked",
                (None, None, false) => "asked",
            },
            origin: plan.map(|_| explained.origin.name()),
            requests: explained.requests.iter().map(VendorRequest::from).collect(),
            omitted_requests: explained.omitted_requests,
            native: plan.map_or_else(Vec::new, |plan| native(plan)),
            gateway: plan.map_or_else(Vec::new, |plan| plan.gateway.iter().map(|parameter| parameter.name()).collect()),
            order: plan.map_or("none", |plan| order(plan)),
            paging: if is_sorted { "full_scan" } else { "paged" },
            calls: explained.calls.into(),
            calls_to_end: explained.calls_to_end,
            budget: Budget::new(source.upstream(), caller),
            breaker: source.upstream().breaker().into(),
            problem: skipped.or(rejected).map(|error| Problem::from(error).into()),
        }
    }
}

fn native(plan: &Plan) -> Vec<VendorParameter<'_>> {
    plan.native.iter().chain(&plan.prefilter).map(VendorParameter::from).collect()
}

fn order(plan: &Plan) -> &'static str {
    match (plan.sort, plan.order) {
        (Some(_), _) => "gateway",
        (None, Some(_)) => "native",
        (None, None) => "none",
    }
}

impl<'e> From<&'e directory::ExplainedRequest> for VendorRequest<'e> {
    fn from(request: &'e directory::ExplainedRequest) -> Self {
        let age = request.age.map(|age| age.as_secs());
        Self { method: "GET", url: &request.url, sent: request.is_sent, age }
    }
}

impl<'e> From<&'e NativeParameter> for VendorParameter<'e> {
    fn from(native: &'e NativeParameter) -> Self {
        Self { parameter: native.parameter.name(), name: native.name, value: &native.value }
    }
}
