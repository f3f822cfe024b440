//! Expected lists over several connections, computed from the vendors' rows and
//! the contract, without paging.

use std::collections::BTreeMap;

use customer_gateway::sandbox::{Corporation, Tolt};
use jiff::Timestamp;

use super::FIRST_DAY;

/// A connection and its rows, in the order of its own list.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) connection: &'static str,
    pub(super) kind: VendorKind,
    pub(super) rows: Vec<Row>,
}

/// Vendor kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VendorKind {
    Tolt,
    Corporation,
}

/// The fields that order and filters use.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Id at the gateway.
    pub(super) id: String,
    created: Option<Timestamp>,
    name: Option<String>,
    email: Option<String>,
    external_id: Option<String>,
    /// Set for Tolt only.
    status: Option<String>,
    /// Set for the corporation vendor only.
    platform: Option<String>,
}

/// A filter, with the fields of the query.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) status: Option<&'static str>,
    pub(super) source_platform: Option<&'static str>,
    pub(super) name: Option<&'static str>,
    pub(super) search: Option<&'static str>,
    pub(super) email: Option<&'static str>,
    pub(super) external_id: Option<&'static str>,
    /// Hours into 2025.
    pub(super) gte: Option<i64>,
    pub(super) lte: Option<i64>,
}

/// Requested order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Asc,
    Desc,
}

impl Source {
    /// Reads Tolt's rows.
    pub(super) fn tolt(connection: &'static str, vendor: &Tolt) -> Self {
        let row = |row: customer_gateway::sandbox::tolt::Customer| Row {
            id: format!("{connection}.{}", row.id),
            created: row.created_at.parse().ok(),
            name: row.name.as_str().map(str::to_owned),
            email: row.email.as_str().map(str::to_owned),
            external_id: row.customer_id.as_str().map(str::to_owned),
            status: row.status.as_str().map(str::to_owned),
            platform: None,
        };
        // Tolt lists the newest first by default.
        Self { connection, kind: VendorKind::Tolt, rows: vendor.customers().into_iter().rev().map(row).collect() }
    }

    /// Reads the corporation vendor's rows.
    pub(super) fn corporation(connection: &'static str, vendor: &Corporation) -> Self {
        let row = |row: customer_gateway::sandbox::corporation::Customer| Row {
            id: format!("{connection}.{}", row.id),
            created: row.created_at.value().map(|&second| Timestamp::from_second(second).unwrap()),
            name: row.name.as_str().map(str::to_owned),
            email: row.email.as_str().map(str::to_owned),
            external_id: row.external_id.as_str().map(str::to_owned),
            status: None,
            platform: row.source_platform.as_str().map(str::to_owned),
        };
        Self { connection, kind: VendorKind::Corporation, rows: vendor.customers().into_iter().map(row).collect() }
    }

    /// Returns the ids of this source's part of a list, in the list's order.
    pub(super) fn part(&self, filter: &Filter, order: Option<Order>) -> Vec<String> {
        list(std::slice::from_ref(self), filter, order)
    }
}

/// Returns the ids of a list over these connections.
pub(super) fn list(sources: &[Source], filter: &Filter, order: Option<Order>) -> Vec<String> {
    let wanted = sources.iter().flat_map(|source| source.rows.iter().filter(|row| filter.matches(source.kind, row)));
    let mut wanted: Vec<&Row> = wanted.collect();
    if let Some(order) = order {
        // `None` sorts before any instant, so a row without a timestamp is the
        // oldest.
        wanted.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        if order == Order::Desc {
            wanted.reverse();
        }
    }
    wanted.into_iter().map(|row| row.id.clone()).collect()
}

impl Order {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

impl Filter {
    /// Returns true if the vendor, or the gateway for it, can apply the filter.
    pub(super) fn is_supported_by(&self, kind: VendorKind) -> bool {
        match kind {
            VendorKind::Tolt => self.source_platform.is_none(),
            VendorKind::Corporation => self.status.is_none(),
        }
    }

    /// Returns true if a row of a vendor matches the filter.
    fn matches(&self, kind: VendorKind, row: &Row) -> bool {
        let is = |wanted: Option<&str>, value: &Option<String>| wanted.is_none() || wanted == value.as_deref();
        let holds = |part: &str, value: &Option<String>| {
            value.as_ref().is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase()))
        };
        let since = |hour: i64| Timestamp::from_second(FIRST_DAY + hour * 3_600).unwrap();
        is(self.status, &row.status)
            && is(self.source_platform, &row.platform)
            && is(self.name, &row.name)
            && is(self.external_id, &row.external_id)
            && self.email.is_none_or(|email| {
                row.email.as_ref().is_some_and(|text| text.to_lowercase() == email.to_lowercase())
            })
            // The corporation vendor's own search covers names only.
            && self.search.is_none_or(|part| {
                holds(part, &row.name) || kind == VendorKind::Tolt && holds(part, &row.email)
            })
            && self.gte.is_none_or(|hour| row.created.is_some_and(|created| created >= since(hour)))
            && self.lte.is_none_or(|hour| row.created.is_some_and(|created| created <= since(hour)))
    }

    /// Returns the parameters of a query.
    pub(super) fn parameters(&self) -> BTreeMap<String, String> {
        let instant = |hour: i64| Timestamp::from_second(FIRST_DAY + hour * 3_600).unwrap().to_string();
        let given = [
            ("status", self.status.map(str::to_owned)),
            ("source_platform", self.source_platform.map(str::to_owned)),
            ("name", self.name.map(str::to_owned)),
            ("search", self.search.map(str::to_owned)),
            ("email", self.email.map(str::to_owned)),
            ("external_id", self.external_id.map(str::to_owned)),
            ("created_gte", self.gte.map(instant)),
            ("created_lte", self.lte.map(instant)),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
