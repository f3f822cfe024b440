//! Content of rows: expansions, the vendor's own object, and fields.

use crate::{
    callers::Access,
    domain::{
        projection::Projection,
        query::{Expansion, Resource, Shape},
    },
    web::{
        problem::{Code, Problem},
        query::QueryString,
    },
};

use super::{
    fields::{projection, reject_hidden_expansions},
    tables::{CUSTOMER_EXPANSIONS, TRANSACTION_EXPANSIONS},
};

/// Content of each row: its shape, and the fields that remain.
#[derive(Debug)]
pub(super) struct RowParameters {
    pub(super) shape: Shape,
    pub(super) projection: Option<Projection>,
}

/// Reads the parameters of a single customer.
pub(crate) fn customer_shape(query: Option<&str>, access: &Access) -> Result<(Shape, Option<Projection>), Problem> {
    let parameters = QueryString::parse(query, &["expand", "include", "fields"])?;
    let RowParameters { shape, projection } = row_parameters(&parameters, Resource::Customers, access)?;
    Ok((shape, projection))
}

/// Reads `expand`, `include` and `fields`.
pub(super) fn row_parameters(
    parameters: &QueryString<'_>,
    resource: Resource,
    access: &Access,
) -> Result<RowParameters, Problem> {
    let expansions = match resource {
        Resource::Customers => CUSTOMER_EXPANSIONS,
        Resource::Transactions => TRANSACTION_EXPANSIONS,
    };
    let shape = shape(parameters, expansions, access)?;
    let hidden = access.fields().hidden(resource);
    reject_hidden_expansions(&shape, resource, hidden)?;
    let projection = projection(parameters, resource, &shape, hidden)?;
    Ok(RowParameters { shape, projection })
}

/// Reads `expand` and `include`.
fn shape(parameters: &QueryString<'_>, expansions: &[Expansion], access: &Access) -> Result<Shape, Problem> {
    let expansion = |text| {
        expansions.iter().copied().find(|expansion| expansion.name() == text).ok_or_else(|| {
            let names: Vec<_> = expansions.iter().map(|expansion| format!("`{}`", expansion.name())).collect();
            Problem::invalid("expand", &format!("one of {}", names.join(", ")), text)
                .supported(expansions.iter().map(|expansion| expansion.name()))
        })
    };
    let mut expand = parameters.list("expand").map(expansion).collect::<Result<Vec<_>, _>>()?;
    expand.sort_unstable();
    expand.dedup();
    if let Some(unknown) = parameters.list("include").find(|value| *value != "raw") {
        return Err(Problem::invalid("include", "`raw`", unknown));
    }
    let raw = parameters.list("include").next().is_some();
    if raw && !access.may_see_raw() {
        let detail = if access.fields().is_empty() {
            "the caller lacks the permission to request the vendor's own object"
        } else {
            "the vendor's own object contains fields that the caller may not see; remove `include=raw`"
        };
        return Err(Problem::new(Code::Forbidden, detail).parameter("include"));
    }
    Ok(Shape { expand, raw })
}
