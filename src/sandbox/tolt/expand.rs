//! Embedded objects, selected by `expand[]` and `include[]`.

use super::super::query::{InvalidParameter, Query};

/// Objects that a request embeds.
#[derive(Debug, Default)]
pub(crate) struct Expand(Vec<Object>);

/// Object that can be embedded in another object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Customer,
    Partner,
    Program,
    Stats,
}

impl Expand {
    /// Parses `expand[]` of a list request. The pages allow different objects for each list.
    pub(crate) fn parse_list(query: &Query, allowed: &[Object]) -> Result<Self, InvalidParameter> {
        let mut expand = Self::default();
        expand.add(query, "expand[]", allowed)?;
        Ok(expand)
    }

    /// Parses the query of the page of retrieve customer.
    pub(crate) fn parse_retrieve(query: Option<&str>) -> Result<Self, InvalidParameter> {
        let query = Query::parse(query, &[], &["expand[]", "include[]"])?;
        let mut expand = Self::default();
        expand.add(&query, "expand[]", &[Object::Partner, Object::Program])?;
        expand.add(&query, "include[]", &[Object::Stats])?;
        Ok(expand)
    }

    pub(crate) fn has(&self, object: Object) -> bool {
        self.0.contains(&object)
    }

    fn add(&mut self, query: &Query, parameter: &str, allowed: &[Object]) -> Result<(), InvalidParameter> {
        for value in query.all(parameter) {
            let object = allowed.iter().find(|object| object.name() == value);
            let unknown = || InvalidParameter::new(parameter, format!("{parameter} has the unknown value {value}"));
            self.0.push(*object.ok_or_else(unknown)?);
        }
        Ok(())
    }
}

impl Object {
    fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Partner => "partner",
            Self::Program => "program",
            Self::Stats => "stats",
        }
    }
}
