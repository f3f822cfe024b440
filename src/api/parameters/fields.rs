//! The parameter `fields`.

use crate::{
    domain::{
        projection::{Projection, RAW},
        query::{Resource, Shape},
        record::RecordFields,
    },
    web::{
        problem::{Code, Problem},
        query::QueryString,
    },
};

const FIELDS: &str = "fields";

/// Reads `fields`. `None` if the request selects no fields.
pub(super) fn projection(
    parameters: &QueryString<'_>,
    resource: Resource,
    shape: &Shape,
) -> Result<Option<Projection>, Problem> {
    let selectors: Vec<_> = parameters.list(FIELDS).collect();
    if selectors.is_empty() {
        return Ok(None);
    }
    let fields = RecordFields::get(resource);
    let mut selected = vec!["id"];
    for selector in selectors.iter().copied().filter(|selector| *selector != RAW) {
        selected.extend(covered(selector, fields, shape)?);
    }
    let has_raw = selectors.contains(&RAW);
    if has_raw && !shape.raw {
        return Err(missing(RAW, "include=raw"));
    }
    // In the order of the table, also for CSV.
    let paths = fields.paths(shape).filter(|path| selected.contains(path)).collect();
    Ok(Some(Projection::new(paths, has_raw)))
}

/// Returns the paths that a selector covers in records of a shape.
fn covered(selector: &str, fields: &RecordFields, shape: &Shape) -> Result<Vec<&'static str>, Problem> {
    let covered: Vec<_> = fields.covered(selector).collect();
    let Some((_, expansion)) = covered.first() else {
        let supported = fields.all().map(|(path, _)| path).chain([RAW]);
        return Err(Problem::invalid(FIELDS, "fields of the rows, such as `id,email`", selector).supported(supported));
    };
    let is_present = |expansion: Option<_>| expansion.is_none_or(|expansion| shape.expands(expansion));
    let present: Vec<_> =
        covered.iter().filter(|(_, expansion)| is_present(*expansion)).map(|(path, _)| *path).collect();
    match expansion {
        Some(expansion) if present.is_empty() => Err(missing(selector, &format!("expand={}", expansion.name()))),
        _ => Ok(present),
    }
}

/// Returns the problem of a field that another parameter adds to the rows.
fn missing(selector: &str, parameter: &str) -> Problem {
    let detail = format!("`{FIELDS}={selector}` requires `{parameter}`; add that parameter or remove the field");
    Problem::new(Code::InvalidParameter, detail).parameter(FIELDS)
}
