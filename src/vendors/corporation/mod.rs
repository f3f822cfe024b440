//! A corporation-style sales-tax vendor: `shared/vendors/003*.txt` and FACTS.md.

mod capabilities;
mod convert;
mod documented;
mod error;
mod query;
mod wire;

use std::collections::BTreeSet;

use crate::domain::{
    anchor::{Anchor, Neighbour},
    page::RecordPage,
};

use super::{
    Account, Call, Vendor, VendorError, VendorRequest, VendorResponse,
    capabilities::Capabilities,
    documented::{UnknownField, UnknownFields},
    plan::{Plan, RetrievalPlan},
    records::Records,
    registry::VendorKind,
};

pub(super) const KIND: VendorKind = VendorKind {
    name: "corporation",
    account_key: "corporation_id",
    base_url: "https://api.prod.commenda.io/api/v1",
    requests_per_second: 5,
    capabilities: &capabilities::CAPABILITIES,
    documented: &documented::DOCUMENTED,
    adapter: |account| Box::new(Corporation { account }),
};

/// The adapter for one corporation.
struct Corporation {
    account: Account,
}

impl Vendor for Corporation {
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
            Call::List(plan, anchor) => self.page(plan, anchor, response),
            Call::Retrieve(plan) => self.one(plan, response),
        }
    }

    fn unknown_fields(&self, call: &Call, response: &VendorResponse) -> BTreeSet<UnknownField> {
        let mut unknown = UnknownFields::default();
        match call {
            Call::List(..) => wire::scan_list(&response.body, &mut unknown),
            Call::Retrieve(_) => wire::scan_single(&response.body, &mut unknown),
        }
        unknown.into_set()
    }
}

impl Corporation {
    fn page(&self, plan: &Plan, anchor: &Anchor, response: &VendorResponse) -> Result<RecordPage, VendorError> {
        let listing = wire::listing(&response.body, plan.shape.raw)?;
        // The cursor leads forward only: the vendor has no word for the page
        // before another.
        let prev = if *anchor == Anchor::Start { Neighbour::End } else { Neighbour::Unknown };
        let next = match listing.cursor {
            Some(cursor) => Neighbour::At(Anchor::Token(cursor.into())),
            None => Neighbour::End,
        };
        let mut records = Records::new(KIND.name, &self.account, &plan.shape);
        let count = listing.rows.len();
        for row in listing.rows {
            convert::customer(&mut records, row)?;
        }
        Ok(records.page(prev, next, listing.total, count))
    }

    fn one(&self, plan: &RetrievalPlan, response: &VendorResponse) -> Result<RecordPage, VendorError> {
        let row = wire::single(&response.body, plan.shape.raw)?;
        let mut records = Records::new(KIND.name, &self.account, &plan.shape);
        convert::customer(&mut records, row)?;
        records.single()
    }
}
