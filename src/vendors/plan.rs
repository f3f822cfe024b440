//! Splitting a question: the vendor's part in its own words, and the rest.

use crate::domain::{
    filter::CreatedRange,
    filter::Filter,
    parameter::Parameter,
    query::{Expansion, ListQuery, Order, Resource, Retrieval, Shape},
    residual::Residual,
    timestamp::{Timestamp, ceil_to_millisecond, floor_to_millisecond},
};

use super::capabilities::{Capabilities, Support, expansion_names};

/// How a question is put to a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The kind of row.
    pub resource: Resource,
    /// The vendor's own parameters that express the filter.
    pub native: Vec<NativeParameter>,
    /// What the gateway applies to the rows that come.
    pub residual: Residual,
    /// The parameters that the gateway alone applies.
    pub gateway: Vec<Parameter>,
    /// The order in which the rows come; `None` where the vendor promises none.
    pub order: Option<Order>,
    /// The order that the gateway makes of them, where the vendor cannot.
    pub sort: Option<Order>,
    /// The vendor's names of the expansions.
    pub expand: Vec<&'static str>,
    /// How much of each row is wanted.
    pub shape: Shape,
    /// Whether the vendor counts exactly the rows of this question.
    pub total_is_exact: bool,
}

/// How a single customer is asked of a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrievalPlan {
    /// The customer's id at the vendor.
    pub vendor_id: String,
    /// The vendor's names of the expansions.
    pub expand: Vec<&'static str>,
    /// How much of the customer is wanted.
    pub shape: Shape,
}

/// A parameter in the vendor's words, and ours that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeParameter {
    /// Ours.
    pub parameter: Parameter,
    /// The vendor's name.
    pub name: &'static str,
    /// The value as the vendor takes it.
    pub value: String,
}

/// Why a question cannot be put to a vendor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nobody can apply this parameter for this vendor.
    #[error("`{parameter}` is not supported here")]
    Unsupported {
        /// The parameter.
        parameter: Parameter,
        /// The value, where only that is not supported.
        value: Option<&'static str>,
        /// What is supported in its place.
        supported: Vec<&'static str>,
    },
    /// The vendor's own way to write this parameter cannot hold the value.
    #[error("a value of `{parameter}` cannot hold a comma: the vendor takes a list separated by commas")]
    CommaInList {
        /// The parameter.
        parameter: Parameter,
    },
    /// The vendor has no such list.
    #[error("the vendor has no such operation")]
    NoSuchOperation,
}

impl Plan {
    /// Plans a question by a vendor's table.
    pub fn new(capabilities: &Capabilities, question: &ListQuery) -> Result<Self, PlanError> {
        let list = capabilities.list(question.resource).ok_or(PlanError::NoSuchOperation)?;
        let mut native = Vec::new();
        let mut residual = Residual::default();
        let mut gateway = Vec::new();
        let mut total_is_exact = true;

        for (parameter, values) in question.filter.set() {
            let unsupported = || PlanError::Unsupported { parameter, value: None, supported: list.supported() };
            match list.support(parameter).ok_or_else(unsupported)? {
                Support::Native(name) => native.push(NativeParameter { parameter, name, value: values.concat() }),
                Support::NativeList(name) => {
                    if values.iter().any(|value| value.contains(',')) {
                        return Err(PlanError::CommaInList { parameter });
                    }
                    native.push(NativeParameter { parameter, name, value: values.join(",") });
                }
                Support::NativeChecked(name) => {
                    let (value, exact) = milliseconds(parameter, question.filter.created, &values);
                    native.push(NativeParameter { parameter, name, value });
                    keep(&mut residual, parameter, &question.filter);
                    total_is_exact &= exact;
                }
                Support::Gateway => {
                    keep(&mut residual, parameter, &question.filter);
                    gateway.push(parameter);
                    total_is_exact = false;
                }
            }
        }
        let sort = match (question.order, list.support(Parameter::Order)) {
            (Some(_), None) => {
                let (parameter, supported) = (Parameter::Order, list.supported());
                return Err(PlanError::Unsupported { parameter, value: None, supported });
            }
            (Some(order), Some(Support::Gateway)) => Some(order),
            _ => None,
        };
        Ok(Self {
            resource: question.resource,
            native,
            residual,
            gateway,
            order: if sort.is_some() { list.default_order } else { question.order.or(list.default_order) },
            sort,
            expand: expand(&question.shape, list.expand)?,
            shape: question.shape.clone(),
            total_is_exact,
        })
    }
}

impl RetrievalPlan {
    /// Plans a retrieval by a vendor's table.
    pub fn new(capabilities: &Capabilities, retrieval: &Retrieval) -> Result<Self, PlanError> {
        Ok(Self {
            vendor_id: retrieval.vendor_id.clone(),
            expand: expand(&retrieval.shape, capabilities.retrieve_expand)?,
            shape: retrieval.shape.clone(),
        })
    }
}

fn expand(shape: &Shape, known: &[(Expansion, &'static str)]) -> Result<Vec<&'static str>, PlanError> {
    let native_name = |wanted: &Expansion| {
        known.iter().find(|(expansion, _)| expansion == wanted).map(|(_, name)| *name).ok_or_else(|| {
            PlanError::Unsupported {
                parameter: Parameter::Expand,
                value: Some(wanted.name()),
                supported: expansion_names(known),
            }
        })
    };
    shape.expand.iter().map(native_name).collect()
}

/// Leaves a parameter to the gateway.
fn keep(residual: &mut Residual, parameter: Parameter, filter: &Filter) {
    match parameter {
        Parameter::CreatedGte => residual.created.gte = filter.created.gte,
        Parameter::CreatedLte => residual.created.lte = filter.created.lte,
        Parameter::Name => residual.name.clone_from(&filter.name),
        Parameter::Search => residual.search = filter.search.as_ref().map(|text| text.to_lowercase()),
        Parameter::Email => residual.email = filter.email.as_ref().map(|text| text.to_lowercase()),
        Parameter::ExternalId => residual.external_id.clone_from(&filter.external_id),
        // The other fields are not in a normalized record, so that no table
        // may leave them to the gateway; a test holds the tables to it.
        _ => {}
    }
}

/// An end of the range as vendors take it, in whole milliseconds, rounded
/// outwards, and whether nothing was rounded.
fn milliseconds(parameter: Parameter, created: CreatedRange, values: &[String]) -> (String, bool) {
    let (given, rounded) = match parameter {
        Parameter::CreatedGte => (created.gte, created.gte.map(floor_to_millisecond)),
        Parameter::CreatedLte => (created.lte, created.lte.map(ceil_to_millisecond)),
        _ => return (values.concat(), true),
    };
    (rounded.map(|instant| Timestamp::from(instant).to_string()).unwrap_or_default(), given == rounded)
}
