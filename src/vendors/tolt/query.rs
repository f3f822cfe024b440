//! Tolt's requests.

use crate::{
    domain::{
        anchor::{Anchor, Direction, Instant},
        parameter::Parameter,
        query::{Order, Resource},
        timestamp::{Timestamp, ceil_to_millisecond, floor_to_millisecond},
    },
    vendors::{
        PAGE_SIZE, Refusal, VendorError, VendorRequest,
        plan::{NativeParameter, Plan, RetrievalPlan},
        query::{Query, path_with_id},
    },
};

/// Asked for by `include[]` where the other expansions are by `expand[]`.
pub(super) const STATS: &str = "stats";

/// A page of customers or transactions.
pub(super) fn list(program_id: &str, plan: &Plan, anchor: &Anchor) -> Result<VendorRequest, VendorError> {
    let listed = plan.order.unwrap_or(Order::Desc);
    let (order, bound) = match anchor {
        Anchor::From(instant, direction) => seek(listed, *instant, *direction)?,
        _ => (listed, None),
    };
    let mut query = Query::default();
    query.push("program_id", program_id);
    let narrowed = bound.as_ref().map(|bound| bound.name);
    for native in plan.native.iter().filter(|native| Some(native.name) != narrowed).chain(&bound) {
        query.push(native.name, &native.value);
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
        Anchor::Token(_) => return Err(unknown_place()),
    }
    let path = match plan.resource {
        Resource::Customers => "/v1/customers",
        Resource::Transactions => "/v1/transactions",
    };
    Ok(VendorRequest { path: path.to_owned(), query: query.finish() })
}

/// One customer.
pub(super) fn retrieve(plan: &RetrievalPlan) -> Result<VendorRequest, VendorError> {
    let path = path_with_id("/v1/customers", &plan.vendor_id).ok_or(VendorError::NotFound)?;
    let mut query = Query::default();
    for &expansion in &plan.expand {
        query.push(if expansion == STATS { "include[]" } else { "expand[]" }, expansion);
    }
    Ok(VendorRequest { path, query: query.finish() })
}

/// How to ask from an instant on: with the range narrowed, and going back with
/// the order turned round, so that the first page lies beside the instant.
fn seek(
    listed: Order,
    instant: Instant,
    direction: Direction,
) -> Result<(Order, Option<NativeParameter>), VendorError> {
    let instant = instant.timestamp().ok_or_else(unknown_place)?;
    let order = match direction {
        Direction::Forward => listed,
        Direction::Backward => listed.reversed(),
    };
    let (parameter, name, bound) = match order {
        Order::Asc => (Parameter::CreatedGte, "created_gte", floor_to_millisecond(instant)),
        Order::Desc => (Parameter::CreatedLte, "created_lte", ceil_to_millisecond(instant)),
    };
    Ok((order, Some(NativeParameter { parameter, name, value: Timestamp::from(bound).to_string() })))
}

/// An anchor that Tolt has no word for comes from a cursor that was made when
/// the connection's name belonged to another vendor.
fn unknown_place() -> VendorError {
    VendorError::CursorRefused(Refusal::default())
}
