//! Conventions of the whole document that attributes cannot express. Each
//! convention is required by a client generator (`tests/it/contract/rules.rs`
//! tests these and other rules).

use serde_json::json;
use utoipa::openapi::{
    OpenApi, RefOr, Schema,
    path::{Operation, Parameter, ParameterStyle, PathItem},
    schema::{Object, SchemaType, Type},
};

use crate::{
    api::openapi::headers::{self, OperationTraits},
    vendors::registry::KINDS,
};

/// Schemas of rows.
const RECORDS: &[&str] = &["Customer", "Transaction"];

/// Schemas of the objects in rows.
const RECORD_OBJECTS: &[&str] =
    &["Address", "CustomerSummary", "Exemption", "Partner", "Product", "Program", "Referral", "Source", "Stats", "Tax"];

/// Applies the conventions to a document.
pub(super) fn apply(document: &mut OpenApi) {
    if let Some(components) = &mut document.components {
        headers::declare(components);
        for (name, schema) in &mut components.schemas {
            let Some(schema) = object(schema) else { continue };
            require_nulls(schema);
            allow_projections(name, schema);
            clear_reference_descriptions(schema);
            list_vendors(schema);
        }
    }
    for operation in operations(document) {
        operation.parameters.iter_mut().flatten().for_each(repeat_array);
        let traits = OperationTraits::new(operation);
        for (status, response) in &mut operation.responses.responses {
            if let RefOr::T(response) = response {
                headers::refer(response, status, &traits);
            }
        }
    }
}

/// Returns all operations of the document.
pub(super) fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(path_operations)
}

/// Returns the operations of a path.
pub(super) fn path_operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten()
}

fn object(schema: &mut RefOr<Schema>) -> Option<&mut Object> {
    match schema {
        RefOr::T(Schema::Object(object)) => Some(object),
        _ => None,
    }
}

/// Makes nullable properties required: scalars are null, never absent.
fn require_nulls(schema: &mut Object) {
    let nullable = schema.properties.iter().filter(|(_, property)| is_nullable(property)).map(|(name, _)| name);
    let required = nullable.filter(|name| !schema.required.contains(name)).cloned().collect::<Vec<_>>();
    schema.required.extend(required);
}

/// Makes the members of a row optional, except for `id`: `fields` and policies
/// omit the others.
fn allow_projections(name: &str, schema: &mut Object) {
    if RECORDS.contains(&name) {
        schema.required.retain(|member| member == "id");
    } else if RECORD_OBJECTS.contains(&name) {
        schema.required.clear();
    }
}

fn is_nullable(property: &RefOr<Schema>) -> bool {
    let RefOr::T(Schema::Object(object)) = property else { return false };
    matches!(&object.schema_type, SchemaType::Array(types) if types.contains(&Type::Null))
}

/// Removes descriptions next to a `$ref`. Some generators ignore siblings of a
/// `$ref`, and others reject them.
fn clear_reference_descriptions(schema: &mut Object) {
    for property in schema.properties.values_mut() {
        if let RefOr::Ref(reference) = property {
            reference.description.clear();
        }
    }
}

/// Lists the kinds of vendor as an extensible enumeration.
fn list_vendors(schema: &mut Object) {
    if let Some(vendor) = schema.properties.get_mut("vendor").and_then(object) {
        let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
        vendor.extensions.get_or_insert_default().insert("x-extensible-enum".to_owned(), json!(names));
    }
}

/// States that an array repeats its key. This is the default, which some
/// generators do not know.
fn repeat_array(parameter: &mut RefOr<Parameter>) {
    if let RefOr::T(parameter) = parameter
        && matches!(parameter.schema, Some(RefOr::T(Schema::Array(_))))
    {
        parameter.style = Some(ParameterStyle::Form);
        parameter.explode = Some(true);
    }
}
