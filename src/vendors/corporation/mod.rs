//! Adapter for a corporation-style sales-tax vendor. The sources are the
//! vendor's page "List customers" and docs/FACTS.md.

mod capabilities;
mod convert;
mod documented;
mod envelope;
mod error;
mod query;
mod wire;

use std::collections::BTreeSet;

use crate::domain::anchor::{Anchor, Neighbour};

use super::{
    Account, Call, ResponseBody, Vendor, VendorError, VendorRefusal, VendorRequest, VendorResponse,
    documented::UnknownField,
    json,
    kind::VendorKind,
    plan::{Plan, RetrievalPlan},
    records::{Records, RowCount},
    wire::Row,
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

/// Adapter for one corporation.
struct Corporation {
    account: Account,
}

impl Vendor for Corporation {
    fn list_request(&self, plan: &Plan, anchor: &Anchor) -> Result<VendorRequest, VendorError> {
        query::list(&self.account.id, plan, anchor)
    }

    fn retrieve_request(&self, plan: &RetrievalPlan) -> Result<VendorRequest, VendorError> {
        query::retrieve(plan)
    }

    fn read_list(&self, plan: &Plan, anchor: &Anchor, body: &[u8]) -> Result<ResponseBody, VendorError> {
        json::read(body, plan.shape.raw, |body, repairs| {
            let listing = envelope::listing(body, plan.shape.raw)?;
            json::require_lists(body, repairs, &[&["customers"], &["data", "customers"]])?;
            // The cursor leads forward only. The vendor cannot express the page
            // before another page.
            let prev = if *anchor == Anchor::Start { Neighbour::End } else { Neighbour::Unknown };
            let next = match listing.cursor {
                Some(cursor) => Neighbour::At(Anchor::Token(cursor.into())),
                None => Neighbour::End,
            };
            let mut records = Records::new(KIND.name, &self.account, &plan.shape, repairs);
            let count = listing.rows.count();
            for row in records.readable(listing.rows) {
                convert::customer(&mut records, row)?;
            }
            // The vendor has no end flag. It leaves the cursor out at the end.
            let count = RowCount { rows: count, total: listing.total, claimed_total: listing.total };
            Ok(records.into_list(prev, next, count))
        })
    }

    fn read_one(&self, plan: &RetrievalPlan, body: &[u8]) -> Result<ResponseBody, VendorError> {
        json::read(body, plan.shape.raw, |body, repairs| {
            let row = envelope::single(body)?;
            let mut records = Records::new(KIND.name, &self.account, &plan.shape, repairs);
            convert::customer(&mut records, Row { raw: row.raw.filter(|_| plan.shape.raw), ..row })?;
            records.into_one(&plan.vendor_id)
        })
    }

    fn refusal(&self, response: &VendorResponse) -> VendorRefusal {
        error::refusal(response)
    }

    fn unknown_fields(&self, call: &Call, response: &VendorResponse) -> BTreeSet<UnknownField> {
        let unknown = match call {
            Call::List(..) => envelope::scan_list(&response.body),
            Call::Retrieve(_) => envelope::scan_single(&response.body),
        };
        unknown.into_set()
    }
}
