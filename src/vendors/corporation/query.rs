//! Requests to the corporation vendor.

use crate::{
    domain::{anchor::Anchor, query::Resource},
    vendors::{
        PAGE_SIZE, VendorError, VendorRequest,
        plan::{Plan, RetrievalPlan},
        query::{Query, path_with_id},
    },
};

/// Returns the request for a page of customers.
pub(super) fn list(corporation_id: &str, plan: &Plan, anchor: &Anchor) -> Result<VendorRequest, VendorError> {
    debug_assert_eq!(plan.resource, Resource::Customers, "the capability table has no other list");
    let mut query = Query::default();
    query.push("corporation_id", corporation_id);
    for native in &plan.native {
        query.push(native.name, &native.value);
    }
    extend(&mut query, &plan.expand);
    query.push("limit", &PAGE_SIZE.to_string());
    match anchor {
        Anchor::Start => {}
        Anchor::Token(token) => query.push("cursor", token),
        Anchor::After(_) | Anchor::Before(_) | Anchor::From(..) => return Err(VendorError::unsupported_anchor()),
    }
    Ok(VendorRequest { path: "/customers".to_owned(), query: query.finish() })
}

/// Returns the request for one customer. The vendor's page of this operation is
/// not among the sources. The adapter assumes that it takes `extend`, like the
/// list.
pub(super) fn retrieve(plan: &RetrievalPlan) -> Result<VendorRequest, VendorError> {
    let path = path_with_id("/customers", &plan.vendor_id).ok_or(VendorError::NotFound)?;
    let mut query = Query::default();
    extend(&mut query, &plan.expand);
    Ok(VendorRequest { path, query: query.finish() })
}

fn extend(query: &mut Query, names: &[&str]) {
    if !names.is_empty() {
        query.push("extend", &names.join(","));
    }
}
