//! Documented fields of Tolt that the gateway does not read, and documented
//! values. docs/FACTS.md lists the fields that only write responses contain.

use crate::vendors::documented::{Documented, KnownObject, OpenField};

pub(super) static DOCUMENTED: Documented = Documented {
    objects: &[&ENVELOPE, &CUSTOMER, &TRANSACTION, &CUSTOMER_SUMMARY, &PARTNER, &PROGRAM, &STATS],
    fields: &[&CUSTOMER_STATUS, &PARTNER_STATUS, &TRANSACTION_STATUS, &BILLING_TYPE, &INTERVAL],
};

/// The envelope of rows. A list of customers has a second envelope in `data`.
pub(super) static ENVELOPE: KnownObject = KnownObject { name: "envelope", unread: &[], nested: &[("data", &ENVELOPE)] };

pub(super) static CUSTOMER: KnownObject = KnownObject {
    name: "customer",
    unread: &["identifier", "plan", "subscription_id", "lead_at", "active_at", "click_id", "promotion_code_id"],
    nested: &[("partner", &PARTNER), ("program", &PROGRAM), ("stats", &STATS)],
};

pub(super) static TRANSACTION: KnownObject = KnownObject {
    name: "transaction",
    unread: &[
        "payment_*",
        "tax",
        "amount_excluding_tax",
        "amount_including_tax",
        "metadata",
        "product_ids",
        "product_names",
        "conversion_rate",
    ],
    nested: &[("customer", &CUSTOMER_SUMMARY), ("partner", &PARTNER), ("program", &PROGRAM)],
};

static CUSTOMER_SUMMARY: KnownObject = KnownObject { name: "customer_summary", unread: &[], nested: &[] };
static PARTNER: KnownObject = KnownObject { name: "partner", unread: &[], nested: &[] };
static PROGRAM: KnownObject = KnownObject { name: "program", unread: &[], nested: &[] };
static STATS: KnownObject = KnownObject { name: "stats", unread: &[], nested: &[] };

/// The values of the filter, and the additional value of v2.
pub(super) static CUSTOMER_STATUS: OpenField =
    OpenField { name: "customer.status", values: &["lead", "trialing", "active", "canceled", "suspended"] };

pub(super) static PARTNER_STATUS: OpenField =
    OpenField { name: "partner.status", values: &["active", "pending", "suspended", "rejected"] };

pub(super) static TRANSACTION_STATUS: OpenField =
    OpenField { name: "transaction.status", values: &["paid", "refunded"] };

pub(super) static BILLING_TYPE: OpenField =
    OpenField { name: "transaction.billing_type", values: &["one_time", "subscription"] };

pub(super) static INTERVAL: OpenField = OpenField { name: "transaction.interval", values: &["month", "year"] };
