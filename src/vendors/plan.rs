//! Query plans: the native parameters for the vendor, and the residual filter
//! for the gateway.

use crate::domain::{
    filter::{Filter, InstantRange},
    fold::fold,
    parameter::Parameter,
    query::{Expansion, ListQuery, Order, Resource, Retrieval, Shape},
    residual::Residual,
    timestamp::{Timestamp, ceil_to_millisecond, floor_to_millisecond},
};

use super::{
    capabilities::{Capabilities, Support, expansion_names},
    prefilter::email_part,
};

/// The plan of a list query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The requested resource.
    pub resource: Resource,
    /// The vendor parameters that express the filter.
    pub native: Vec<NativeParameter>,
    /// The vendor parameter that leaves out rows of the residual filter, if there
    /// is one. The plan is also complete without it.
    pub prefilter: Option<NativeParameter>,
    /// The filter that the gateway applies to the vendor's rows.
    pub residual: Residual,
    /// The parameters that only the gateway applies.
    pub gateway: Vec<Parameter>,
    /// The order of the vendor's rows, or `None` if the vendor promises none.
    pub order: Option<Order>,
    /// The order that the gateway sorts into, if the vendor cannot sort.
    pub sort: Option<Order>,
    /// The expansions, by the vendor's names.
    pub expand: Vec<&'static str>,
    /// The requested content of each record.
    pub shape: Shape,
    /// True if the vendor's total counts exactly the rows of this query.
    pub total_is_exact: bool,
}

/// The plan of a retrieval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrievalPlan {
    /// The customer's id at the vendor.
    pub vendor_id: String,
    /// The expansions, by the vendor's names.
    pub expand: Vec<&'static str>,
    /// The requested content of the customer.
    pub shape: Shape,
}

/// A parameter of the vendor, with the gateway parameter that it expresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeParameter {
    /// The gateway's parameter.
    pub parameter: Parameter,
    /// The vendor's name of the parameter.
    pub name: &'static str,
    /// The value in the vendor's format.
    pub value: String,
}

/// A query that a vendor cannot execute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Neither the vendor nor the gateway can apply the parameter.
    #[error("`{parameter}` is not supported by this vendor")]
    Unsupported {
        /// The parameter.
        parameter: Parameter,
        /// The value, if other values of the parameter are supported.
        value: Option<&'static str>,
        /// The supported alternatives.
        supported: Vec<&'static str>,
    },
    /// The vendor's format of the parameter cannot express the value.
    #[error("a value of `{parameter}` cannot contain a comma: the vendor takes a comma-separated list")]
    CommaInList {
        /// The parameter.
        parameter: Parameter,
    },
    /// The vendor does not have the list.
    #[error("the vendor does not support this operation")]
    NoSuchOperation,
}

impl Plan {
    /// Plans a list query by a vendor's capability table.
    pub fn new(capabilities: &Capabilities, query: &ListQuery) -> Result<Self, PlanError> {
        let list = capabilities.list(query.resource).ok_or(PlanError::NoSuchOperation)?;
        let mut native = Vec::new();
        let mut prefilter: Option<NativeParameter> = None;
        let mut residual = Residual::default();
        let mut gateway = Vec::new();
        let mut total_is_exact = true;

        for (parameter, values) in query.filter.parameters() {
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
                    let (value, exact) = rounded_bound(parameter, query.filter.created, &values);
                    native.push(NativeParameter { parameter, name, value });
                    add_to_residual(&mut residual, parameter, &query.filter);
                    total_is_exact &= exact;
                }
                support @ (Support::Prefilter(_) | Support::Gateway) => {
                    add_to_residual(&mut residual, parameter, &query.filter);
                    gateway.push(parameter);
                    total_is_exact = false;
                    if let Support::Prefilter(name) = support
                        && let Some(value) = email_part(parameter, &query.filter)
                        // The vendor takes one text, and a longer text leaves fewer rows.
                        && prefilter.as_ref().is_none_or(|other| other.value.len() < value.len())
                    {
                        prefilter = Some(NativeParameter { parameter, name, value });
                    }
                }
            }
        }
        let sort = match (query.order, list.support(Parameter::Order)) {
            (Some(_), None) => {
                let (parameter, supported) = (Parameter::Order, list.supported());
                return Err(PlanError::Unsupported { parameter, value: None, supported });
            }
            (Some(order), Some(Support::Gateway)) => Some(order),
            _ => None,
        };
        Ok(Self {
            resource: query.resource,
            native,
            prefilter,
            residual,
            gateway,
            order: if sort.is_some() { list.default_order } else { query.order.or(list.default_order) },
            sort,
            expand: expansions(&query.shape, list.expand)?,
            shape: query.shape.clone(),
            total_is_exact,
        })
    }

    /// Returns the plan without its prefilter.
    #[must_use]
    pub fn without_prefilter(self) -> Self {
        Self { prefilter: None, ..self }
    }
}

impl RetrievalPlan {
    /// Plans a retrieval by a vendor's capability table.
    pub fn new(capabilities: &Capabilities, retrieval: &Retrieval) -> Result<Self, PlanError> {
        Ok(Self {
            vendor_id: retrieval.vendor_id.clone(),
            expand: expansions(&retrieval.shape, capabilities.retrieve_expand)?,
            shape: retrieval.shape.clone(),
        })
    }
}

/// Returns the vendor's names of the requested expansions.
fn expansions(shape: &Shape, known: &[(Expansion, &'static str)]) -> Result<Vec<&'static str>, PlanError> {
    let native_name = |requested: &Expansion| {
        known.iter().find(|(expansion, _)| expansion == requested).map(|(_, name)| *name).ok_or_else(|| {
            PlanError::Unsupported {
                parameter: Parameter::Expand,
                value: Some(requested.name()),
                supported: expansion_names(known),
            }
        })
    };
    shape.expand.iter().map(native_name).collect()
}

/// Adds a parameter to the gateway's filter.
fn add_to_residual(residual: &mut Residual, parameter: Parameter, filter: &Filter) {
    match parameter {
        Parameter::CreatedGte => residual.created.gte = filter.created.gte,
        Parameter::CreatedLte => residual.created.lte = filter.created.lte,
        Parameter::UpdatedGte => residual.updated.gte = filter.updated.gte,
        Parameter::UpdatedLte => residual.updated.lte = filter.updated.lte,
        Parameter::Name => residual.name.clone_from(&filter.name),
        Parameter::Search => residual.search = filter.search.as_deref().map(|text| fold(text).into_owned()),
        Parameter::Email => residual.email = filter.email.as_deref().map(|text| fold(text).into_owned()),
        Parameter::ExternalId => residual.external_id.clone_from(&filter.external_id),
        // The other parameters are not fields of a normalized record. A test of
        // the registry rejects tables that assign them to the gateway.
        _ => {}
    }
}

/// Returns a bound of the range, rounded outwards to whole milliseconds, and
/// true if rounding did not change it.
fn rounded_bound(parameter: Parameter, created: InstantRange, values: &[String]) -> (String, bool) {
    let (given, rounded) = match parameter {
        Parameter::CreatedGte => (created.gte, created.gte.map(floor_to_millisecond)),
        Parameter::CreatedLte => (created.lte, created.lte.map(ceil_to_millisecond)),
        _ => return (values.concat(), true),
    };
    (rounded.map(|instant| Timestamp::from(instant).to_string()).unwrap_or_default(), given == rounded)
}
