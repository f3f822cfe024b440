//! Questions that columns can decide.

use crate::domain::{
    filter::Filter,
    fold::fold,
    page::{UnreadField, UnreadFields},
    query::{ListQuery, Order, Shape},
    residual::{Residual, reads_email_only},
};

/// Question that a stored list answers: a filter and an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The conditions on fields that a page has.
    pub(super) residual: Residual,
    /// The accepted statuses, or none for any.
    pub(super) statuses: Vec<String>,
    /// The accepted partners, or none for any.
    pub(super) partner_ids: Vec<String>,
    /// The accepted platforms, or none for any.
    pub(super) platforms: Vec<String>,
    /// The accepted ids on a platform, or none for any.
    pub(super) platform_ids: Vec<String>,
    /// The customer's id at the vendor.
    pub(super) customer_id: Option<String>,
    pub(super) sequence: Sequence,
}

/// Order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sequence {
    /// The list order, with the vendor's order by creation time, if it has one.
    Listed(Option<Order>),
    /// The reverse of a list order that has an order by creation time.
    Reversed(Order),
    /// Sorted by (`created_at`, `id`).
    Created(Order),
}

impl Question {
    /// Returns the question of a query, or `None` if columns cannot decide it.
    /// `default_order` is the order of the list at the vendor, if it has one.
    #[must_use]
    pub fn new(query: &ListQuery, default_order: Option<Order>) -> Option<Self> {
        let ListQuery { resource: _, filter, order, shape: Shape { expand, raw } } = query;
        let Filter {
            status,
            partner_id,
            customer_id,
            created,
            updated,
            name,
            search,
            email,
            external_id,
            source_platform,
            source_platform_id,
            certificate_type,
            exemption_jurisdiction,
            exemption_status,
            expiration_status,
            has_exemption,
        } = filter;
        let is_decidable = expand.is_empty()
            && !raw
            && certificate_type.is_empty()
            && exemption_jurisdiction.is_empty()
            && exemption_status.is_none()
            && expiration_status.is_none()
            && has_exemption.is_none();
        let folded = |text: &Option<String>| text.as_deref().map(|text| fold(text).into_owned());
        let sequence = match (*order, default_order) {
            (None, default) => Sequence::Listed(default),
            (Some(order), Some(default)) if order == default => Sequence::Listed(default_order),
            (Some(_), Some(default)) => Sequence::Reversed(default),
            (Some(order), None) => Sequence::Created(order),
        };
        is_decidable.then(|| Self {
            residual: Residual {
                created: *created,
                updated: *updated,
                name: name.clone(),
                search: folded(search),
                email: folded(email),
                external_id: external_id.clone(),
            },
            statuses: alternatives(status),
            partner_ids: alternatives(partner_id),
            platforms: alternatives(source_platform),
            platform_ids: alternatives(source_platform_id),
            customer_id: customer_id.clone(),
            sequence,
        })
    }

    /// Returns true if every row matches.
    #[must_use]
    pub fn is_unfiltered(&self) -> bool {
        self.is_range() && !self.residual.created.is_bounded()
    }

    /// Returns true if only the range of `created_at` may reject rows.
    pub(super) fn is_range(&self) -> bool {
        let Self { residual, statuses, partner_ids, platforms, platform_ids, customer_id, sequence: _ } = self;
        let others = Residual { created: Residual::default().created, ..residual.clone() };
        others.is_empty()
            && [statuses, partner_ids, platforms, platform_ids].iter().all(|values| values.is_empty())
            && customer_id.is_none()
    }

    /// Returns true if a filter compares one of the fields.
    pub(super) fn compares(&self, fields: UnreadFields) -> bool {
        let Residual { created, updated, name, search, email, external_id } = &self.residual;
        let searches_name = search.as_deref().is_some_and(|search| !reads_email_only(search));
        [
            (created.is_bounded(), UnreadField::CreatedAt),
            (updated.is_bounded(), UnreadField::UpdatedAt),
            (name.is_some() || searches_name, UnreadField::Name),
            (email.is_some() || search.is_some(), UnreadField::Email),
            (external_id.is_some(), UnreadField::ExternalId),
        ]
        .iter()
        .any(|(is_compared, field)| *is_compared && fields.contains(*field))
    }
}

/// Returns the values, each once and in one order, so equal questions are equal.
fn alternatives(values: &[String]) -> Vec<String> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.dedup();
    values
}
