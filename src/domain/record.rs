//! Table of the fields of the served records, by path: `referral.partner_id`.
//!
//! CSV columns are taken from the table. Tests compare it with the JSON and the
//! OpenAPI schema of [`Customer`] and [`Transaction`]. The member `raw` is not in
//! the table, because its content has no fixed fields.
//!
//! [`Customer`]: super::customer::Customer
//! [`Transaction`]: super::transaction::Transaction

use super::query::{Expansion, Resource, Shape};

/// Fields of one kind of record.
#[derive(Debug)]
pub struct RecordFields {
    /// The paths in every record.
    base: &'static [&'static str],
    /// The additional paths of each expansion, in the order of [`Expansion`].
    expanded: &'static [(Expansion, &'static [&'static str])],
}

impl RecordFields {
    /// Returns the fields of a resource's records.
    #[must_use]
    pub fn get(resource: Resource) -> &'static Self {
        match resource {
            Resource::Customers => &CUSTOMER,
            Resource::Transactions => &TRANSACTION,
        }
    }

    /// Returns the paths in records of a shape.
    pub fn paths(&self, shape: &Shape) -> impl Iterator<Item = &'static str> {
        let expanded = self.expanded.iter().filter(|(expansion, _)| shape.expands(*expansion));
        self.base.iter().chain(expanded.flat_map(|(_, paths)| *paths)).copied()
    }

    /// Returns the paths that an expansion adds.
    #[must_use]
    pub fn expanded(&self, expansion: Expansion) -> &'static [&'static str] {
        self.expanded.iter().find(|(known, _)| *known == expansion).map_or(&[], |(_, paths)| *paths)
    }

    /// Returns all paths, each with the expansion that adds it.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, Option<Expansion>)> {
        let base = self.base.iter().map(|path| (*path, None));
        let expanded = self.expanded.iter();
        base.chain(expanded.flat_map(|(expansion, paths)| paths.iter().map(|path| (*path, Some(*expansion)))))
    }

    /// Returns true if a field is text without a format.
    #[must_use]
    pub fn is_text(&self, path: &str) -> bool {
        let is_known = self.all().any(|(known, _)| known == path);
        let is_typed = ["tax.exemption.", "referral.stats."].iter().any(|object| path.starts_with(object))
            || path == "amount"
            || path.ends_with("_at");
        is_known && !is_typed
    }

    /// Returns the paths that a selector covers: a path, or an object with all
    /// its members, written `tax` or `tax.*`.
    pub fn covered(&self, selector: &str) -> impl Iterator<Item = (&'static str, Option<Expansion>)> {
        let name = selector.strip_suffix(".*").unwrap_or(selector);
        let is_exact = name.len() == selector.len();
        self.all().filter(move |(path, _)| {
            path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.') || (is_exact && rest.is_empty()))
        })
    }
}

static CUSTOMER: RecordFields = RecordFields {
    base: &[
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
    ],
    expanded: &[
        (Expansion::Partner, PARTNER),
        (Expansion::Program, PROGRAM),
        (
            Expansion::Stats,
            &[
                "referral.stats.total_revenue",
                "referral.stats.total_commission",
                "referral.stats.total_orders",
                "referral.stats.last_order_at",
            ],
        ),
        (
            Expansion::ShippingAddress,
            &[
                "shipping_address.line1",
                "shipping_address.line2",
                "shipping_address.line3",
                "shipping_address.city",
                "shipping_address.state",
                "shipping_address.postal_code",
                "shipping_address.country",
            ],
        ),
        (
            Expansion::Exemption,
            &[
                "tax.exemption.total_certificates",
                "tax.exemption.certificate_types",
                "tax.exemption.total_exempted_states",
                "tax.exemption.exempted_states",
                "tax.exemption.active_exemptions_count",
                "tax.exemption.inactive_exemptions_count",
                "tax.exemption.expired_exemptions_count",
                "tax.exemption.non_expired_exemptions_count",
            ],
        ),
    ],
};

static TRANSACTION: RecordFields = RecordFields {
    base: &[
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
    ],
    expanded: &[
        (Expansion::Partner, PARTNER),
        (Expansion::Program, PROGRAM),
        (
            Expansion::Customer,
            &["customer.id", "customer.name", "customer.email", "customer.status", "customer.created_at"],
        ),
    ],
};

const PARTNER: &[&str] = &[
    "referral.partner.id",
    "referral.partner.first_name",
    "referral.partner.last_name",
    "referral.partner.email",
    "referral.partner.company_name",
    "referral.partner.status",
    "referral.partner.created_at",
];

const PROGRAM: &[&str] = &[
    "referral.program.id",
    "referral.program.status",
    "referral.program.name",
    "referral.program.product_name",
    "referral.program.subdomain",
    "referral.program.type",
    "referral.program.currency",
    "referral.program.created_at",
];

#[cfg(test)]
mod tests;
