//! Page building: the part of the conversion that all vendors share.

use serde::Serialize;

use crate::domain::{
    anchor::Neighbour,
    customer::Source,
    id::GatewayId,
    page::{Anomalies, PageInfo, RecordPage, RecordPageBuilder},
    query::Shape,
    timestamp::Timestamp,
};

use super::{
    Account, ResponseBody, VendorError,
    wire::{Field, Text},
};

/// Records of one response, with its anomalies.
pub(super) struct Records<'c> {
    /// The requested content of each record.
    pub(super) shape: &'c Shape,
    /// The anomalies of the response.
    pub(super) anomalies: Anomalies,
    account: &'c Account,
    vendor: &'static str,
    builder: RecordPageBuilder,
}

/// Row counts of a list response.
#[derive(Debug, Default)]
pub(super) struct RowCount {
    /// Rows in the response, dropped rows included.
    pub(super) rows: usize,
    /// The vendor's count for the query.
    pub(super) total: Option<u64>,
    /// The vendor's count, if only it can prove the end of the list.
    pub(super) claimed_total: Option<u64>,
}

impl<'c> Records<'c> {
    pub(super) fn new(vendor: &'static str, account: &'c Account, shape: &'c Shape) -> Self {
        Self { shape, anomalies: Anomalies::default(), account, vendor, builder: RecordPageBuilder::default() }
    }

    /// Returns the gateway id of a row.
    pub(super) fn gateway_id<'a>(&self, vendor_id: &'a str) -> GatewayId<'a>
    where
        'c: 'a,
    {
        GatewayId { connection: self.account.connection.as_str(), vendor_id }
    }

    /// Returns the source of a row.
    pub(super) fn source<'a>(&self, vendor_id: &'a str) -> Source<'a>
    where
        'c: 'a,
    {
        Source { connection: self.account.connection.as_str(), vendor: self.vendor, id: vendor_id }
    }

    /// Returns the id of a row that belongs to the account.
    ///
    /// Returns `None` for a row of another account. Such a row is counted and
    /// never served (FACTS.md, case 27). A row without an account id belongs to
    /// the requested account.
    pub(super) fn own_id(&mut self, id: &Text<'_>, account_id: &Text<'_>) -> Result<Option<String>, VendorError> {
        let is_foreign = match account_id {
            Field::Missing => false,
            Field::Value(id) => **id != *self.account.id,
            Field::Unreadable => true,
        };
        if is_foreign {
            self.anomalies.foreign_rows = self.anomalies.foreign_rows.saturating_add(1);
            return Ok(None);
        }
        row_id(id).map(|id| Some(id.to_owned()))
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

    /// Finishes the page of a list of `rows` rows, including foreign rows. Drops
    /// a total that contradicts the page.
    pub(super) fn into_list(self, prev: Neighbour, next: Neighbour, count: RowCount) -> ResponseBody {
        let RowCount { rows, total, claimed_total } = count;
        let is_whole_list = prev == Neighbour::End && next == Neighbour::End;
        let rows = rows as u64;
        let total = total.filter(|&total| if is_whole_list { total == rows } else { total >= rows });
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        ResponseBody::Records(self.finish(PageInfo { prev, next, total, rows, claimed_total, ..PageInfo::default() }))
    }

    /// Finishes the page of a retrieval. A credential may reach several
    /// accounts. A row of another account is treated as missing.
    pub(super) fn into_one(self) -> Result<ResponseBody, VendorError> {
        let page = self.finish(PageInfo { rows: 1, ..PageInfo::default() });
        if page.is_empty() { Err(VendorError::NotFound) } else { Ok(ResponseBody::Records(page)) }
    }

    fn finish(self, info: PageInfo) -> RecordPage {
        self.builder.finish(PageInfo { anomalies: self.anomalies, ..info })
    }
}

/// Returns the id of a row.
pub(super) fn row_id<'a>(id: &'a Text<'_>) -> Result<&'a str, VendorError> {
    id.value().map(AsRef::as_ref).ok_or_else(|| VendorError::Unreadable("a row has no id".to_owned()))
}
