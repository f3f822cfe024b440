//! Every question that an adapter can be asked.

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

/// How many values of each parameter are tried.
const SAMPLES: usize = 4;

/// Whatever text a caller may give.
const TEXTS: [&str; SAMPLES] = ["Jim Halpert", "cust_dK9bzRGn46BhVgNFHD6fDgXW", "a, b & c=d+e%20/ü?#[]\"", "東京\n"];
/// The words of Tolt's page: another is the caller's own, and Tolt's to refuse.
const STATUSES: [&str; SAMPLES] = ["lead", "trialing", "active", "canceled"];
const LISTS: [&[&str]; SAMPLES] =
    [&["stripe"], &["US_CA", "US_NY"], &["a b&c=d+e%2C/ü", "東京"], &["1", "2", "3", "4"]];
/// The ends of what RFC 3339 can write, and instants that are no whole
/// milliseconds.
const INSTANTS: [&str; SAMPLES] = [
    "2025-01-15T14:30:00Z",
    "0000-01-01T00:00:00Z",
    "2024-11-25T15:24:26.846428999Z",
    "9999-12-30T21:59:59.999999999Z",
];

/// Which combinations of a list's native parameters are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Combined {
    /// None of them, and each alone.
    Alone,
    /// All that there are.
    Freely,
}

/// All calls for the lists and the customers of a vendor.
pub(super) fn calls(capabilities: &Capabilities, combined: Combined) -> Vec<Call> {
    let mut calls = Vec::new();
    for sample in 0..SAMPLES {
        for resource in [Resource::Customers, Resource::Transactions] {
            let Some(list) = capabilities.list(resource) else { continue };
            for question in questions(resource, list, combined, sample) {
                let plan = Arc::new(Plan::new(capabilities, &question).unwrap());
                calls.extend(anchors(sample).map(|anchor| Call::List(Arc::clone(&plan), anchor)));
            }
        }
        calls.extend(retrievals(capabilities, text(sample)));
    }
    calls
}

/// The first page of each list, unfiltered, with all that rows may hold.
pub(super) fn whole_lists(capabilities: &Capabilities) -> Vec<Call> {
    let lists = [Resource::Customers, Resource::Transactions].into_iter();
    let shaped = lists.filter_map(|resource| {
        let shapes = shapes(capabilities.list(resource)?.expand).into_iter();
        Some(shapes.map(move |shape| ListQuery { resource, filter: Filter::default(), order: None, shape }))
    });
    let plan = |question: ListQuery| Arc::new(Plan::new(capabilities, &question).unwrap());
    shaped.flatten().map(|question| Call::List(plan(question), Anchor::Start)).collect()
}

/// All calls for one customer.
pub(super) fn retrievals(capabilities: &Capabilities, id: &str) -> Vec<Call> {
    let shapes = shapes(capabilities.retrieve_expand).into_iter();
    let retrievals = shapes.map(|shape| Retrieval { vendor_id: id.to_owned(), shape });
    retrievals
        .map(|retrieval| Call::Retrieve(Arc::new(RetrievalPlan::new(capabilities, &retrieval).unwrap())))
        .collect()
}

/// All questions for a list, with one sample of each parameter.
fn questions(resource: Resource, list: &ListCapabilities, combined: Combined, sample: usize) -> Vec<ListQuery> {
    let (gateways, native): (Vec<_>, Vec<_>) =
        list.parameters.iter().partition(|(_, support)| *support == Support::Gateway);
    let mut chosen = subsets(&native);
    chosen.retain(|chosen| combined == Combined::Freely || chosen.len() <= 1);
    // What the gateway applies itself must not reach the vendor.
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

/// Gives a parameter a value. A parameter that is new to the gateway does not
/// compile until it has some here.
fn set(question: &mut ListQuery, parameter: Parameter, sample: usize) {
    let filter = &mut question.filter;
    let text = || Some(text(sample).to_owned());
    let list = || LISTS[sample].iter().map(ToString::to_string).collect();
    match parameter {
        Parameter::Order => question.order = Some([Order::Asc, Order::Desc][sample % 2]),
        Parameter::Status => filter.status = Some(STATUSES[sample].to_owned()),
        Parameter::PartnerId => filter.partner_id = text(),
        Parameter::CustomerId => filter.customer_id = text(),
        Parameter::CreatedGte => filter.created.gte = Some(instant(sample)),
        Parameter::CreatedLte => filter.created.lte = Some(instant(sample)),
        Parameter::Name => filter.name = text(),
        Parameter::Search => filter.search = text(),
        Parameter::Email => filter.email = text(),
        Parameter::ExternalId => filter.external_id = text(),
        Parameter::SourcePlatform => filter.source_platform = list(),
        Parameter::SourcePlatformId => filter.source_platform_id = list(),
        Parameter::CertificateType => filter.certificate_type = list(),
        Parameter::ExemptionJurisdiction => filter.exemption_jurisdiction = list(),
        Parameter::ExemptionStatus => filter.exemption_status = text(),
        Parameter::ExpirationStatus => filter.expiration_status = text(),
        Parameter::HasExemption => filter.has_exemption = Some(sample.is_multiple_of(2)),
        Parameter::Expand => panic!("expansions have a table of their own"),
    }
}

/// The places of a list. An adapter refuses those that it has no word for.
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
