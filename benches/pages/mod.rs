//! Vendors' pages of customers, about 400 bytes each.

use std::{collections::BTreeSet, fmt::Write, sync::Arc};

use bytes::Bytes;
use customer_gateway::{
    domain::{
        anchor::Anchor,
        filter::Filter,
        page::RecordPage,
        query::{ListQuery, Resource, Shape},
    },
    vendors::{Account, Call, Vendor, VendorResponse, documented::UnknownField, plan::Plan, registry},
};

/// An adapter, and a call that it can read a page for.
pub(crate) struct Page {
    vendor: Box<dyn Vendor>,
    call: Call,
    response: VendorResponse,
}

impl Page {
    /// A vendor's page of so many customers.
    pub(crate) fn of(vendor: &str, rows: usize) -> Self {
        let kind = registry::by_name(vendor).unwrap();
        let plan = Plan::new(kind.capabilities, &question()).unwrap();
        let (account_id, body) = match vendor {
            "tolt" => ("prg_YRsbPDAKhWfdqJbFACheh", tolt(rows)),
            _ => ("corp_123", corporation(rows)),
        };
        Self {
            vendor: (kind.adapter)(Account { connection: "bench".parse().unwrap(), id: account_id.to_owned() }),
            call: Call::List(Arc::new(plan), Anchor::Start),
            response: VendorResponse { status: 200, body },
        }
    }

    /// Translates it.
    pub(crate) fn read(&self) -> RecordPage {
        self.vendor.read(&self.call, &self.response).unwrap()
    }

    /// Looks it through for unknown fields.
    pub(crate) fn unknown_fields(&self) -> BTreeSet<UnknownField> {
        self.vendor.unknown_fields(&self.call, &self.response)
    }
}

/// All customers.
pub(crate) fn question() -> ListQuery {
    ListQuery { resource: Resource::Customers, filter: Filter::default(), order: None, shape: Shape::default() }
}

fn tolt(rows: usize) -> Bytes {
    list(r#"{"success":true,"has_more":true,"total_count":5000,"data":{"data":["#, "]}}", rows, |body, n| {
        write!(
            body,
            r#"{{"id":"cust_dK9bzRGn46BhVgNFHD{n:06}","email":"michael.scott{n}@dundermifflin.example","partner_id":"part_s7mbzRGn46BhVgNFHD6fDgXW","name":"Michael Gary Scott","customer_id":"michael_scott_{n}","created_at":"2025-01-15T14:30:00.{n:03}Z","updated_at":"2025-01-15T14:30:00.{n:03}Z","status":"active","program_id":"prg_YRsbPDAKhWfdqJbFACheh","organization_id":"org_JE3mfYNL9ci7sFaJazAv2"}}"#
        )
    })
}

fn corporation(rows: usize) -> Bytes {
    list(r#"{"data":{"customers":["#, r#"],"total_customers":5000,"cursor":"c2"}}"#, rows, |body, n| {
        write!(
            body,
            r#"{{"id":"cust_{n:06}","name":"Acme Corporation {n}","email":"contact{n}@acme.example","corporation_id":"corp_123","created_at":17060{n:05},"external_id":"acme_{n}","business_identification_number":"12-3456789","source_platform":"stripe","source_platform_id":"cus_NffrFeUfNV2Hib{n:03}","exemption_metadata":{{"total_certificates":1,"certificate_types":["BLANKET"],"total_exempted_states":1,"exempted_states":["CA"],"active_exemptions_count":1,"inactive_exemptions_count":0}}}}"#
        )
    })
}

fn list(head: &str, tail: &str, rows: usize, row: impl Fn(&mut String, usize) -> std::fmt::Result) -> Bytes {
    let mut body = head.to_owned();
    for n in 0..rows {
        if n > 0 {
            body.push(',');
        }
        row(&mut body, n).unwrap();
    }
    body.push_str(tail);
    body.into()
}
