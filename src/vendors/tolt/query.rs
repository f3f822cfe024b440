//! Requests to Tolt.

use crate::{
    domain::{
        anchor::{Anchor, Direction, Instant},
        parameter::Parameter,
        query::{Order, Resource},
        timestamp::{Timestamp, ceil_to_millisecond, floor_to_millisecond},
    },
    vendors::{
        PAGE_SIZE, VendorError, VendorRequest,
        plan::{NativeParameter, Plan, RetrievalPlan},
        query::{Query, path_with_id},
    },
};

/// The expansion that Tolt takes in `include[]` instead of `expand[]`.
pub(super) const STATS: &str = "stats";

/// Returns the request for a page of customers or transactions.
pub(super) fn list(program_id: &str, plan: &Plan, anchor: &Anchor) -> Result<VendorRequest, VendorError> {
    let list_order = plan.order.unwrap_or(Order::Desc);
    let (order, bound) = match anchor {
        Anchor::From(instant, direction) => seek(list_order, *instant, *direction)?,
        _ => (list_order, None),
    };
    let mut query = Query::default();
    query.push("program_id", program_id);
    let narrowed = bound.as_ref().map(|bound| bound.name);
    for native in plan.native.iter().filter(|native| Some(native.name) != narrowed).chain(&bound) {
        query.push(native.name, &native.value);
    }
    if let Some(prefilter) = &plan.prefilter {
        query.push(prefilter.name, &prefilter.value);
    }
    query.push("order", order.name());
    for expansion in &plan.expand {
        query.push("expand[]", expansion);
    }
    query.push("limit", &PAGE_SIZE.to_string());
    match anchor {
        Anchor::Start | Anchor::From(..) => {}
        Anchor::After(id) => query.push("starting_after", id),
        Anchor::Before(id) => query.push("ending_before", id),
        Anchor::Token(_) => return Err(VendorError::unsupported_anchor()),
    }
    let path = match plan.resource {
        Resource::Customers => "/v1/customers",
        Resource::Transactions => "/v1/transactions",
    };
    Ok(VendorRequest { path: path.to_owned(), query: query.finish() })
}

/// Returns the request for one customer.
pub(super) fn retrieve(plan: &RetrievalPlan) -> Result<VendorRequest, VendorError> {
    let path = path_with_id("/v1/customers", &plan.vendor_id).ok_or(VendorError::NotFound)?;
    let mut query = Query::default();
    for &expansion in &plan.expand {
        query.push(if expansion == STATS { "include[]" } else { "expand[]" }, expansion);
    }
    Ok(VendorRequest { path, query: query.finish() })
}

/// Returns the order and the bound of a request for the page at an instant.
///
/// The bound narrows the range to rows at or beyond the instant. For a backward
/// page the order is reversed, because the first page then starts at the
/// instant.
fn seek(
    list_order: Order,
    instant: Instant,
    direction: Direction,
) -> Result<(Order, Option<NativeParameter>), VendorError> {
    let instant = instant.timestamp().ok_or_else(VendorError::unsupported_anchor)?;
    let order = match direction {
        Direction::Forward => list_order,
        Direction::Backward => list_order.reversed(),
    };
    let (parameter, name, bound) = match order {
        Order::Asc => (Parameter::CreatedGte, "created_gte", floor_to_millisecond(instant)),
        Order::Desc => (Parameter::CreatedLte, "created_lte", ceil_to_millisecond(instant)),
    };
    Ok((order, Some(NativeParameter { parameter, name, value: Timestamp::from(bound).to_string() })))
}
