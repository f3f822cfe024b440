//! Every call that an adapter can receive.

use std::sync::Arc;

use customer_gateway::{
    domain::{
        anchor::{Anchor, Direction},
        filter::Filter,
        parameter::Parameter,
        query::{Expansion, ListQuery, Order, Resource, Retrieval, Shape},
    },
    vendors::{
        Call,
        capabilities::{Capabilities, ListCapabilities, Support},
        plan::{Plan, RetrievalPlan},
    },
};
use jiff::Timestamp;

/// Number of values tested for each parameter.
const SAMPLES: usize = 4;

/// Values of text parameters, which callers choose freely.
const TEXTS: [&str; SAMPLES] = ["Jim Halpert", "cust_dK9bzRGn46BhVgNFHD6fDgXW", "a, b & c=d+e%20/ü?#[]\"", "東京\n"];
/// Texts that are a part of an email address, or may be one.
const EMAILS: [&str; SAMPLES] = ["Jim@Example.com", "jim+1@example.com", "josé@example.com", "@"];
/// Statuses in Tolt's documentation. Tolt refuses others, so the gateway does
/// not check them.
const STATUSES: [&str; SAMPLES] = ["lead", "trialing", "active", "canceled"];
const LISTS: [&[&str]; SAMPLES] =
    [&["stripe"], &["US_CA", "US_NY"], &["a b&c=d+e%2C/ü", "東京"], &["1", "2", "3", "4"]];
/// The bounds of RFC 3339, and instants with fractions of a millisecond.
const INSTANTS: [&str; SAMPLES] = [
    "2025-01-15T14:30:00Z",
    "0000-01-01T00:00:00Z",
    "2024-11-25T15:24:26.846428999Z",
    "9999-12-30T21:59:59.999999999Z",
];

/// Combinations of a list's native parameters to generate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Combinations {
    /// No parameter, and each parameter alone.
    Single,
    /// Every subset of the parameters.
    All,
}

/// Calls for the lists and the customers of a vendor.
pub(super) fn calls(capabilities: &Capabilities, combinations: Combinations) -> Vec<Call> {
    let mut calls = Vec::new();
    for sample in 0..SAMPLES {
        for resource in [Resource::Customers, Resource::Transactions] {
            let Some(list) = capabilities.list(resource) else { continue };
            for question in questions(resource, list, combinations, sample) {
                let plan = Arc::new(Plan::new(capabilities, &question).unwrap());
                calls.extend(anchors(sample).map(|anchor| Call::List(Arc::clone(&plan), anchor)));
            }
        }
        calls.extend(retrievals(capabilities, text(sample)));
    }
    calls
}

/// Calls for the first page of each unfiltered list, with every set of
/// expansions.
pub(super) fn whole_lists(capabilities: &Capabilities) -> Vec<Call> {
    let lists = [Resource::Customers, Resource::Transactions].into_iter();
    let shaped = lists.filter_map(|resource| {
        let shapes = shapes(capabilities.list(resource)?.expand).into_iter();
        Some(shapes.map(move |shape| ListQuery { resource, filter: Filter::default(), order: None, shape }))
    });
    let plan = |question: ListQuery| Arc::new(Plan::new(capabilities, &question).unwrap());
    shaped.flatten().map(|question| Call::List(plan(question), Anchor::Start)).collect()
}

/// Calls for one customer, with every set of expansions.
pub(super) fn retrievals(capabilities: &Capabilities, id: &str) -> Vec<Call> {
    let shapes = shapes(capabilities.retrieve_expand).into_iter();
    let retrievals = shapes.map(|shape| Retrieval { vendor_id: id.to_owned(), shape });
    retrievals
        .map(|retrieval| Call::Retrieve(Arc::new(RetrievalPlan::new(capabilities, &retrieval).unwrap())))
        .collect()
}

/// List queries for a resource, with one sample of each parameter.
fn questions(resource: Resource, list: &ListCapabilities, combinations: Combinations, sample: usize) -> Vec<ListQuery> {
    let (gateways, native): (Vec<_>, Vec<_>) =
        list.parameters.iter().partition(|(_, support)| *support == Support::Gateway);
    let mut chosen = subsets(&native);
    chosen.retain(|chosen| combinations == Combinations::All || chosen.len() <= 1);
    // Filters that the gateway applies must not reach the vendor.
    chosen.push([native, gateways].concat());

    let mut questions = Vec::new();
    for chosen in chosen {
        for shape in shapes(list.expand) {
            let mut question = ListQuery { resource, filter: Filter::default(), order: None, shape };
            for (parameter, _) in &chosen {
                set(&mut question, *parameter, sample);
            }
            questions.push(question);
        }
    }
    questions
}

/// Sets a parameter to a sample. The match is exhaustive, so a new parameter
/// does not compile without samples.
fn set(question: &mut ListQuery, parameter: Parameter, sample: usize) {
    let filter = &mut question.filter;
    let text = || Some(text(sample).to_owned());
    let email = || Some(EMAILS[sample].to_owned());
    let list = || LISTS[sample].iter().map(ToString::to_string).collect();
    match parameter {
        Parameter::Order => question.order = Some([Order::Asc, Order::Desc][sample % 2]),
        Parameter::Status => filter.status = vec![STATUSES[sample].to_owned()],
        Parameter::PartnerId => filter.partner_id = vec![self::text(sample).to_owned()],
        Parameter::CustomerId => filter.customer_id = text(),
        Parameter::CreatedGte => filter.created.gte = Some(instant(sample)),
        Parameter::CreatedLte => filter.created.lte = Some(instant(sample)),
        Parameter::UpdatedGte => filter.updated.gte = Some(instant(sample)),
        Parameter::UpdatedLte => filter.updated.lte = Some(instant(sample)),
        Parameter::Name => filter.name = text(),
        Parameter::Search => filter.search = email(),
        Parameter::Email => filter.email = email(),
        Parameter::ExternalId => filter.external_id = text(),
        Parameter::SourcePlatform => filter.source_platform = list(),
        Parameter::SourcePlatformId => filter.source_platform_id = list(),
        Parameter::CertificateType => filter.certificate_type = list(),
        Parameter::ExemptionJurisdiction => filter.exemption_jurisdiction = list(),
        Parameter::ExemptionStatus => filter.exemption_status = text(),
        Parameter::ExpirationStatus => filter.expiration_status = text(),
        Parameter::HasExemption => filter.has_exemption = Some(sample.is_multiple_of(2)),
        Parameter::Expand => panic!("expansions are not in the parameter table"),
    }
}

/// Every kind of anchor. Adapters refuse the kinds that they do not support.
fn anchors(sample: usize) -> impl Iterator<Item = Anchor> {
    let text = || text(sample).into();
    let instant = instant(sample).into();
    [
        Anchor::Start,
        Anchor::After(text()),
        Anchor::Before(text()),
        Anchor::Token(text()),
        Anchor::From(instant, Direction::Forward),
        Anchor::From(instant, Direction::Backward),
    ]
    .into_iter()
}

fn text(sample: usize) -> &'static str {
    TEXTS[sample]
}

fn instant(sample: usize) -> Timestamp {
    INSTANTS[sample].parse().unwrap()
}

fn shapes(known: &[(Expansion, &str)]) -> Vec<Shape> {
    let expansions: Vec<_> = known.iter().map(|(expansion, _)| *expansion).collect();
    subsets(&expansions).into_iter().map(|expand| Shape { expand, raw: false }).collect()
}

fn subsets<T: Copy>(of: &[T]) -> Vec<Vec<T>> {
    of.iter().fold(vec![Vec::new()], |subsets, &item| {
        let with: Vec<_> = subsets.iter().map(|subset| [&subset[..], &[item]].concat()).collect();
        [subsets, with].concat()
    })
}
