//! Adapter for Tolt, an affiliate vendor. The sources are Tolt's pages "List all
//! customers", "Retrieve customer" and "List all transactions", and
//! docs/FACTS.md.

mod capabilities;
mod convert;
mod documented;
mod envelope;
mod error;
mod paging;
mod query;
mod wire;

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::domain::{anchor::Anchor, query::Resource};

use super::{
    Account, Call, ResponseBody, Vendor, VendorError, VendorRefusal, VendorRequest, VendorResponse,
    documented::UnknownField,
    json::{self, Repairs},
    kind::VendorKind,
    plan::{Plan, RetrievalPlan},
    records::{Records, RowCount},
    wire::{HasId, Nested, Row},
};
use envelope::{Listing, Single};

pub(super) const KIND: VendorKind = VendorKind {
    name: "tolt",
    account_key: "program_id",
    base_url: "https://api.tolt.com",
    requests_per_second: 25,
    capabilities: &capabilities::CAPABILITIES,
    documented: &documented::DOCUMENTED,
    adapter: |account| Box::new(Tolt { account }),
};

/// Adapter for one program.
struct Tolt {
    account: Account,
}

impl Vendor for Tolt {
    fn list_request(&self, plan: &Plan, anchor: &Anchor) -> Result<VendorRequest, VendorError> {
        query::list(&self.account.id, plan, anchor)
    }

    fn retrieve_request(&self, plan: &RetrievalPlan) -> Result<VendorRequest, VendorError> {
        query::retrieve(plan)
    }

    fn read_list(&self, plan: &Plan, anchor: &Anchor, body: &[u8]) -> Result<ResponseBody, VendorError> {
        json::read(body, plan.shape.raw, |body, repairs| match plan.resource {
            Resource::Customers => self.read_rows(plan, anchor, body, repairs, convert::customer),
            Resource::Transactions => self.read_rows(plan, anchor, body, repairs, convert::transaction),
        })
    }

    fn read_one(&self, plan: &RetrievalPlan, body: &[u8]) -> Result<ResponseBody, VendorError> {
        json::read(body, plan.shape.raw, |body, repairs| {
            let Single { is_refusal, row } = envelope::single(body)?;
            if is_refusal {
                return Ok(ResponseBody::Refusal);
            }
            let row = row.ok_or(VendorError::NotFound)?;
            let mut records = Records::new(KIND.name, &self.account, &plan.shape, repairs);
            convert::customer(&mut records, Row { raw: row.raw.filter(|_| plan.shape.raw), ..row })?;
            records.into_one(&plan.vendor_id)
        })
    }

    fn refusal(&self, response: &VendorResponse) -> VendorRefusal {
        error::refusal(response)
    }

    fn unknown_fields(&self, call: &Call, response: &VendorResponse) -> BTreeSet<UnknownField> {
        let body = &response.body;
        let unknown = match call {
            Call::Retrieve(_) => envelope::scan_single(body),
            Call::List(plan, _) => match plan.resource {
                Resource::Customers => envelope::scan_list(body, |row, unknown| {
                    unknown.parse::<Nested<wire::Customer<'_>>>(row, &documented::CUSTOMER);
                }),
                Resource::Transactions => envelope::scan_list(body, |row, unknown| {
                    unknown.parse::<Nested<wire::Transaction<'_>>>(row, &documented::TRANSACTION);
                }),
            },
        };
        unknown.into_set()
    }
}

impl Tolt {
    fn read_rows<'a, T: HasId + Deserialize<'a>>(
        &self,
        plan: &Plan,
        anchor: &Anchor,
        body: &'a str,
        repairs: Repairs,
        convert: impl Fn(&mut Records<'_>, Row<'a, T>) -> Result<(), VendorError>,
    ) -> Result<ResponseBody, VendorError> {
        let Listing::<T> { is_refusal, has_more, total, mut rows } = envelope::listing(body, plan.shape.raw)?;
        if is_refusal {
            return Ok(ResponseBody::Refusal);
        }
        json::require_lists(body, repairs, &[&["data"], &["data", "data"]])?;
        if paging::is_reversed(anchor) {
            rows.readable.reverse();
        }
        // Unreadable rows have no id. The page continues from the row beside them.
        let id = |row: &Row<'a, T>| row.wire.id().map(Box::from);
        let edges = rows.readable.first().and_then(id).zip(rows.readable.last().and_then(id));
        let count = rows.count();
        let (prev, next) = paging::neighbours(anchor, edges, paging::has_more(anchor, has_more, count, total))?;

        let mut records = Records::new(KIND.name, &self.account, &plan.shape, repairs);
        for row in records.readable(rows) {
            convert(&mut records, row)?;
        }
        let total = total.filter(|_| paging::total_covers_query(anchor));
        Ok(records.into_list(prev, next, RowCount { rows: count, total, claimed_total: None }))
    }
}
