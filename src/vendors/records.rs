//! Page building: the part of the conversion that all vendors share.

use std::borrow::Cow;

use crate::domain::{
    anchor::Neighbour,
    customer::{Customer, Source},
    id::GatewayId,
    json::WriteJson,
    page::{Anomalies, Fields, PageInfo, RecordPage, RecordPageBuilder, UnreadField, UnreadFields},
    query::Shape,
    timestamp::Timestamp,
    transaction::Transaction,
};

use super::{
    Account, ResponseBody, VendorError,
    json::Repairs,
    wire::{Field, Row, Rows, Text},
};

/// Records of one response, with its anomalies.
pub(super) struct Records<'c> {
    /// The requested content of each record.
    pub(super) shape: &'c Shape,
    /// The anomalies of the response.
    pub(super) anomalies: Anomalies,
    account: &'c Account,
    vendor: &'static str,
    repairs: Repairs,
    /// The fields of the current row that are unreadable.
    unread: UnreadFields,
    builder: RecordPageBuilder,
}

/// Row counts of a list response.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RowCount {
    /// Rows in the response, dropped rows included.
    pub(super) rows: usize,
    /// The vendor's count for the query.
    pub(super) total: Option<u64>,
    /// The vendor's count, if only it can prove the end of the list.
    pub(super) claimed_total: Option<u64>,
}

impl<'c> Records<'c> {
    /// Starts the records of a response with these repairs.
    pub(super) fn new(vendor: &'static str, account: &'c Account, shape: &'c Shape, repairs: Repairs) -> Self {
        let anomalies = Anomalies { unreadable_values: repairs.values, ..Anomalies::default() };
        let builder = RecordPageBuilder::default();
        Self { shape, anomalies, account, vendor, repairs, unread: UnreadFields::default(), builder }
    }

    /// Counts the rows that cannot be served and returns the others. Reserves memory
    /// for them.
    pub(super) fn readable<'a, T>(&mut self, rows: Rows<'a, T>) -> Vec<Row<'a, T>> {
        self.anomalies.null_rows = rows.null;
        self.anomalies.unreadable_rows = rows.unreadable.saturating_add(self.repairs.rows);
        self.builder = RecordPageBuilder::with_capacity(rows.readable.len());
        rows.readable
    }

    /// Marks a field of the current row as unreadable. A filter on the field
    /// cannot be decided.
    pub(super) fn mark_unread(&mut self, field: UnreadField, is_unreadable: bool) {
        if is_unreadable {
            self.unread.insert(field);
        }
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
    /// the requested account. The account of a row whose account id is unreadable
    /// is unknown, so the row is counted as unreadable (FACTS.md, case 83).
    pub(super) fn own_id<'a>(
        &mut self,
        id: &Text<'a>,
        account_id: &Text<'_>,
    ) -> Result<Option<Cow<'a, str>>, VendorError> {
        let dropped = match account_id {
            Field::Missing => None,
            Field::Value(id) if **id == *self.account.id => None,
            Field::Value(id) if !id.contains(char::REPLACEMENT_CHARACTER) => Some(&mut self.anomalies.foreign_rows),
            Field::Value(_) | Field::Unreadable => Some(&mut self.anomalies.unreadable_rows),
        };
        if let Some(dropped) = dropped {
            *dropped = dropped.saturating_add(1);
            self.unread = UnreadFields::default();
            return Ok(None);
        }
        match id.value() {
            Some(id) => Ok(Some(id.clone())),
            None => Err(VendorError::Unreadable("a row has no id".to_owned())),
        }
    }

    /// Appends a customer.
    pub(super) fn push_customer(&mut self, id: &str, customer: &Customer<'_>) -> Result<(), VendorError> {
        let fields = Fields {
            id,
            created_at: customer.created_at.map(Timestamp::instant),
            name: customer.name.as_deref(),
            email: customer.email.as_deref(),
            external_id: customer.external_id.as_deref(),
        };
        self.push(&fields, customer)
    }

    /// Appends a transaction.
    pub(super) fn push_transaction(&mut self, id: &str, transaction: &Transaction<'_>) -> Result<(), VendorError> {
        let created_at = transaction.created_at.map(Timestamp::instant);
        self.push(&Fields { id, created_at, ..Fields::default() }, transaction)
    }

    /// Finishes the page of a list of `rows` rows, including foreign rows. Drops
    /// a total that contradicts the page.
    pub(super) fn into_list(self, prev: Neighbour, next: Neighbour, count: RowCount) -> ResponseBody {
        let RowCount { rows, total, claimed_total } = count;
        let is_whole_list = prev == Neighbour::End && next == Neighbour::End;
        let rows = rows as u64;
        let total = total.filter(|&total| if is_whole_list { total == rows } else { total >= rows });
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        ResponseBody::Records(self.finish(PageInfo { next, prev, total, rows, claimed_total, ..PageInfo::default() }))
    }

    /// Finishes the page of a retrieval of `requested_id`. A credential may reach
    /// several accounts. A row of another account is treated as missing.
    ///
    /// A vendor that has merged customers returns the row with another id
    /// (FACTS.md, case 48).
    pub(super) fn into_one(mut self, requested_id: &str) -> Result<ResponseBody, VendorError> {
        if self.anomalies.unreadable_rows > 0 {
            return Err(VendorError::Unreadable("the account of the row is unreadable".to_owned()));
        }
        self.builder.set_requested_id(requested_id);
        let page = self.finish(PageInfo { rows: 1, ..PageInfo::default() });
        if page.is_empty() { Err(VendorError::NotFound) } else { Ok(ResponseBody::Records(page)) }
    }

    fn push(&mut self, fields: &Fields<'_>, record: &impl WriteJson) -> Result<(), VendorError> {
        let unread = std::mem::take(&mut self.unread);
        self.builder.push(fields, record).map_err(|error| VendorError::Unreadable(error.to_string()))?;
        self.builder.mark_unread(unread);
        Ok(())
    }

    fn finish(mut self, info: PageInfo) -> RecordPage {
        if self.shape.raw {
            // Lost values are also null in the vendor's own objects.
            let values = self.repairs.values.saturating_add(self.repairs.lost);
            self.anomalies.unreadable_values = self.anomalies.unreadable_values.max(values);
        }
        self.builder.finish(PageInfo { anomalies: self.anomalies, ..info })
    }
}
