//! A line of comma-separated values for each row (RFC 4180), under a header.
//!
//! Members of objects are columns of their own (`referral.partner_id`), lists
//! are joined by semicolons, and null is empty. The last columns are the marks:
//! filled in the last row of each page, and in a row of their own (which has no
//! `id`) at the end, and where a page has no rows.

use ::csv::Writer;
use bytes::Bytes;
use serde_json::Value;

use crate::{
    api::body::export::{Checkpoint, omitted},
    directory::ExportPage,
    domain::query::{Expansion, ListQuery, Resource},
};

const CUSTOMER: &[&str] = &[
    "id",
    "source.connection",
    "source.vendor",
    "source.id",
    "external_id",
    "name",
    "email",
    "status",
    "created_at",
    "updated_at",
    "referral.partner_id",
    "referral.program_id",
    "referral.organization_id",
    "tax.corporation_id",
    "tax.business_identification_number",
    "tax.source_platform",
    "tax.source_platform_id",
];

const TRANSACTION: &[&str] = &[
    "id",
    "source.connection",
    "source.vendor",
    "source.id",
    "customer_id",
    "amount",
    "currency",
    "status",
    "billing_type",
    "interval",
    "platform",
    "charge_id",
    "click_id",
    "product.id",
    "product.name",
    "created_at",
    "updated_at",
    "referral.partner_id",
    "referral.program_id",
    "referral.organization_id",
];

const MARKS: &[&str] = &["export.status", "export.count", "export.cursor", "export.problem", "export.omitted"];

/// The columns of an expansion.
fn expanded(expansion: Expansion) -> &'static [&'static str] {
    match expansion {
        Expansion::Partner => &[
            "referral.partner.id",
            "referral.partner.first_name",
            "referral.partner.last_name",
            "referral.partner.email",
            "referral.partner.company_name",
            "referral.partner.status",
            "referral.partner.created_at",
        ],
        Expansion::Program => &[
            "referral.program.id",
            "referral.program.status",
            "referral.program.name",
            "referral.program.product_name",
            "referral.program.subdomain",
            "referral.program.type",
            "referral.program.currency",
            "referral.program.created_at",
        ],
        Expansion::Stats => &[
            "referral.stats.total_revenue",
            "referral.stats.total_commission",
            "referral.stats.total_orders",
            "referral.stats.last_order_at",
        ],
        Expansion::ShippingAddress => &[
            "shipping_address.line1",
            "shipping_address.line2",
            "shipping_address.line3",
            "shipping_address.city",
            "shipping_address.state",
            "shipping_address.postal_code",
            "shipping_address.country",
        ],
        Expansion::Exemption => &[
            "tax.exemption.total_certificates",
            "tax.exemption.certificate_types",
            "tax.exemption.total_exempted_states",
            "tax.exemption.exempted_states",
            "tax.exemption.active_exemptions_count",
            "tax.exemption.inactive_exemptions_count",
            "tax.exemption.expired_exemptions_count",
            "tax.exemption.non_expired_exemptions_count",
        ],
        Expansion::Customer => {
            &["customer.id", "customer.name", "customer.email", "customer.status", "customer.created_at"]
        }
    }
}

fn columns(question: &ListQuery) -> impl Iterator<Item = &'static str> {
    let own = match question.resource {
        Resource::Customers => CUSTOMER,
        Resource::Transactions => TRANSACTION,
    };
    let expanded = question.shape.expand.iter().flat_map(|expansion| expanded(*expansion));
    own.iter().chain(expanded).copied()
}

/// The header.
pub(super) fn head(question: &ListQuery) -> Bytes {
    written(|writer| writer.write_record(columns(question).chain(MARKS.iter().copied())))
}

/// The rows of a page, and its mark.
pub(super) fn page(question: &ListQuery, page: &ExportPage, mark: &Checkpoint<'_>) -> Bytes {
    let width = columns(question).count();
    let rows: Vec<_> = page
        .segments
        .iter()
        .flat_map(|segment| segment.records.clone().map(|index| segment.entry.page.json(index)))
        .collect();
    written(|writer| {
        for (at, row) in rows.iter().enumerate() {
            let row: Value = serde_json::from_slice(row).unwrap_or_default();
            let cells = columns(question).map(|column| cell(&row, column));
            let is_marked = at + 1 == rows.len() && !mark.is_end();
            writer.write_record(cells.chain(if is_marked { marks(page, mark) } else { Default::default() }))?;
        }
        if mark.is_end() || rows.is_empty() {
            writer.write_record(std::iter::repeat_n(String::new(), width).chain(marks(page, mark)))?;
        }
        Ok(())
    })
}

fn marks(page: &ExportPage, mark: &Checkpoint<'_>) -> [String; 5] {
    let problem = mark.problem.as_ref().map(|problem| problem.code().to_owned());
    [
        mark.status.to_owned(),
        mark.count.to_string(),
        mark.cursor.clone().unwrap_or_default(),
        problem.unwrap_or_default(),
        if mark.is_end() { omitted(page).collect::<Vec<_>>().join(";") } else { String::new() },
    ]
}

fn cell(row: &Value, column: &str) -> String {
    let value = column.split('.').try_fold(row, |value, member| value.get(member));
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items = items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            items.collect::<Vec<_>>().join(";")
        }
        Some(other) => other.to_string(),
    }
}

/// What is written to memory, where no write fails.
fn written(write: impl FnOnce(&mut Writer<Vec<u8>>) -> ::csv::Result<()>) -> Bytes {
    let mut writer = Writer::from_writer(Vec::new());
    let _ = write(&mut writer);
    writer.into_inner().unwrap_or_default().into()
}
