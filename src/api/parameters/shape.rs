//! Shape of rows: expansions and the vendor's own object.

use crate::{
    callers::Access,
    domain::query::{Expansion, Shape},
    web::{
        problem::{Code, Problem},
        query::QueryString,
    },
};

use super::tables::CUSTOMER_EXPANSIONS;

/// Reads the parameters of a single customer.
pub(crate) fn customer_shape(query: Option<&str>, access: &Access) -> Result<Shape, Problem> {
    shape(&QueryString::parse(query, &["expand", "include"])?, CUSTOMER_EXPANSIONS, access)
}

/// Reads `expand` and `include`.
pub(super) fn shape(parameters: &QueryString<'_>, expansions: &[Expansion], access: &Access) -> Result<Shape, Problem> {
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
        let detail = "the caller lacks the permission to request the vendor's own object";
        return Err(Problem::new(Code::Forbidden, detail).parameter("include"));
    }
    Ok(Shape { expand, raw })
}
