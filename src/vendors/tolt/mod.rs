//! Tolt, an affiliate vendor: `shared/vendors/{000,001,002}*.txt` and FACTS.md.

mod capabilities;
mod convert;
mod documented;
mod error;
mod paging;
mod query;
mod wire;

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::domain::{anchor::Anchor, page::RecordPage, query::Resource};

use super::{
    Account, Call, PAGE_SIZE, Vendor, VendorError, VendorRequest, VendorResponse,
    capabilities::Capabilities,
    documented::{UnknownField, UnknownFields},
    plan::{Plan, RetrievalPlan},
    records::Records,
    registry::VendorKind,
    wire::Row,
};
use wire::{HasId, Listing};

pub(super) const KIND: VendorKind = VendorKind {
    name: "tolt",
    account_key: "program_id",
    base_url: "https://api.tolt.com",
    requests_per_second: 25,
    capabilities: &capabilities::CAPABILITIES,
    documented: &documented::DOCUMENTED,
    adapter: |account| Box::new(Tolt { account }),
};

/// The adapter for one program.
struct Tolt {
    account: Account,
}

impl Vendor for Tolt {
    fn capabilities(&self) -> &'static Capabilities {
        &capabilities::CAPABILITIES
    }

    fn request(&self, call: &Call) -> Result<VendorRequest, VendorError> {
        match call {
            Call::List(plan, anchor) => query::list(&self.account.id, plan, anchor),
            Call::Retrieve(plan) => query::retrieve(plan),
        }
    }

    fn read(&self, call: &Call, response: &VendorResponse) -> Result<RecordPage, VendorError> {
        if response.status != 200 {
            return Err(error::refused(call, response));
        }
        match call {
            Call::Retrieve(plan) => self.one(call, plan, response),
            Call::List(plan, anchor) => match plan.resource {
                Resource::Customers => self.page(call, (plan, anchor), response, convert::customer),
                Resource::Transactions => self.page(call, (plan, anchor), response, convert::transaction),
            },
        }
    }

    fn unknown_fields(&self, call: &Call, response: &VendorResponse) -> BTreeSet<UnknownField> {
        let mut unknown = UnknownFields::default();
        match call {
            Call::Retrieve(_) => wire::scan_single(&response.body, &mut unknown),
            Call::List(plan, _) => match plan.resource {
                Resource::Customers => {
                    wire::scan_list::<wire::Customer<'_>>(&response.body, &documented::CUSTOMER, &mut unknown);
                }
                Resource::Transactions => {
                    wire::scan_list::<wire::Transaction<'_>>(&response.body, &documented::TRANSACTION, &mut unknown);
                }
            },
        }
        unknown.into_set()
    }
}

impl Tolt {
    fn page<'a, T: HasId + Deserialize<'a>>(
        &self,
        call: &Call,
        (plan, anchor): (&Plan, &Anchor),
        response: &'a VendorResponse,
        push: impl Fn(&mut Records<'_>, Row<'a, T>) -> Result<(), VendorError>,
    ) -> Result<RecordPage, VendorError> {
        let listing: Listing<'a, T> = wire::listing(&response.body, plan.shape.raw)?;
        if listing.failed {
            return Err(error::refused(call, response));
        }
        let mut rows = listing.rows;
        if paging::is_reversed(anchor) {
            rows.reverse();
        }
        let edges = match (rows.first(), rows.last()) {
            (Some(first), Some(last)) => Some((first.wire.id()?.into(), last.wire.id()?.into())),
            _ => None,
        };
        let more = listing.has_more.unwrap_or(rows.len() >= PAGE_SIZE);
        let (prev, next) = paging::neighbours(anchor, edges, more)?;

        let mut records = Records::new(KIND.name, &self.account, &plan.shape);
        let count = rows.len();
        for row in rows {
            push(&mut records, row)?;
        }
        let total = listing.total.filter(|_| paging::counts_the_question(anchor));
        Ok(records.page(prev, next, total, count))
    }

    fn one(&self, call: &Call, plan: &RetrievalPlan, response: &VendorResponse) -> Result<RecordPage, VendorError> {
        let found = wire::single(&response.body)?;
        if found.failed {
            return Err(error::refused(call, response));
        }
        let Row { wire, raw } = found.row.ok_or(VendorError::NotFound)?;
        let mut records = Records::new(KIND.name, &self.account, &plan.shape);
        convert::customer(&mut records, Row { wire, raw: raw.filter(|_| plan.shape.raw) })?;
        records.single()
    }
}
