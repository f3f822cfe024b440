//! The records of one answer in the making, alike for every vendor.

use std::borrow::Cow;

use serde::Serialize;

use crate::domain::{
    anchor::Neighbour,
    customer::Source,
    id::GatewayId,
    page::{Anomalies, PageInfo, RecordPage, RecordPageBuilder},
    query::Shape,
    timestamp::Timestamp,
};

use super::{Account, VendorError, wire::Field};

/// Collects the records of an answer, and what was odd about them.
pub(super) struct Records<'c> {
    /// How much of each row is wanted.
    pub(super) shape: &'c Shape,
    /// What could not be served as it stood.
    pub(super) anomalies: Anomalies,
    account: &'c Account,
    vendor: &'static str,
    builder: RecordPageBuilder,
}

impl<'c> Records<'c> {
    pub(super) fn new(vendor: &'static str, account: &'c Account, shape: &'c Shape) -> Self {
        Self { shape, anomalies: Anomalies::default(), account, vendor, builder: RecordPageBuilder::default() }
    }

    /// The id at the gateway of one of the account's rows.
    pub(super) fn gateway_id<'a>(&self, vendor_id: &'a str) -> GatewayId<'a>
    where
        'c: 'a,
    {
        GatewayId { connection: self.account.connection.as_str(), vendor_id }
    }

    /// Where one of the account's rows is held.
    pub(super) fn source<'a>(&self, vendor_id: &'a str) -> Source<'a>
    where
        'c: 'a,
    {
        Source { connection: self.account.connection.as_str(), vendor: self.vendor, id: vendor_id }
    }

    /// Whether a row belongs to another account than the one asked for; if so
    /// it is counted, and never served (FACTS.md, case 27). A row that names no
    /// account is the account's that was asked for.
    pub(super) fn is_foreign(&mut self, account_id: &Field<Cow<'_, str>>) -> bool {
        let foreign = match account_id {
            Field::Missing => false,
            Field::Value(id) => **id != *self.account.id,
            Field::Unreadable => true,
        };
        if foreign {
            self.anomalies.foreign_rows = self.anomalies.foreign_rows.saturating_add(1);
        }
        foreign
    }

    /// Appends a record.
    pub(super) fn push(
        &mut self,
        vendor_id: &str,
        created_at: Option<Timestamp>,
        record: &impl Serialize,
    ) -> Result<(), VendorError> {
        self.builder
            .push(vendor_id, created_at.map(Timestamp::instant), record)
            .map_err(|error| VendorError::Unreadable(error.to_string()))
    }

    /// The page of a list of `rows` rows, foreign ones included. A total that
    /// the page itself disproves is none.
    pub(super) fn page(self, prev: Neighbour, next: Neighbour, total: Option<u64>, rows: usize) -> RecordPage {
        let whole = prev == Neighbour::End && next == Neighbour::End;
        let rows = rows as u64;
        let total = total.filter(|&total| if whole { total == rows } else { total >= rows });
        self.builder.finish(PageInfo { next, prev, total, anomalies: self.anomalies })
    }

    /// The page of a retrieval. A credential may reach more than its account,
    /// so a row of another can be read; here it does not exist.
    pub(super) fn single(self) -> Result<RecordPage, VendorError> {
        let page = self.page(Neighbour::End, Neighbour::End, None, 1);
        if page.is_empty() { Err(VendorError::NotFound) } else { Ok(page) }
    }
}
