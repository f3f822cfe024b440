//! Rows of a list without columns, and pages of them.

use std::{cmp::Ordering, sync::Arc};

use proptest::{collection::vec, option, prelude::*};
use serde_json::json;

use crate::{
    copies::{Changes, Recorder, StoredList},
    domain::{
        anchor::Anchor,
        page::{Fields, PageInfo, RecordPage, RecordPageBuilder, UnreadField, UnreadFields},
    },
};

/// Row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModelRow {
    pub(super) id: String,
    pub(super) created_at: Option<jiff::Timestamp>,
    pub(super) updated_at: Option<jiff::Timestamp>,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) partner_id: Option<String>,
    pub(super) customer_id: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) platform_id: Option<String>,
    /// True if a null field counts as unreadable.
    pub(super) is_unread: bool,
}

impl ModelRow {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            created_at: None,
            updated_at: None,
            name: None,
            email: None,
            external_id: None,
            status: None,
            partner_id: None,
            customer_id: None,
            platform: None,
            platform_id: None,
            is_unread: false,
        }
    }

    pub(super) fn json(&self) -> serde_json::Value {
        json!({
            "id": format!("c.{}", self.id),
            "source": {"connection": "c", "vendor": "v", "id": self.id},
            "external_id": self.external_id,
            "name": self.name,
            "email": self.email,
            "status": self.status,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "customer_id": self.customer_id.as_ref().map(|id| format!("c.{id}")),
            "referral": {"partner_id": self.partner_id},
            "tax": {"source_platform": self.platform, "source_platform_id": self.platform_id},
        })
    }

    pub(super) fn unread(&self) -> UnreadFields {
        let mut unread = UnreadFields::default();
        let fields = [
            (self.created_at.is_none(), UnreadField::CreatedAt),
            (self.updated_at.is_none(), UnreadField::UpdatedAt),
            (self.name.is_none(), UnreadField::Name),
            (self.email.is_none(), UnreadField::Email),
            (self.external_id.is_none(), UnreadField::ExternalId),
        ];
        for (is_null, field) in fields {
            if self.is_unread && is_null {
                unread.insert(field);
            }
        }
        unread
    }

    pub(super) fn cmp_created(&self, other: &Self) -> Ordering {
        (self.created_at, &self.id).cmp(&(other.created_at, &other.id))
    }
}

/// Returns a page of rows.
pub(super) fn page(rows: &[ModelRow]) -> RecordPage {
    let mut builder = RecordPageBuilder::default();
    for row in rows {
        let fields = Fields {
            id: &row.id,
            created_at: row.created_at,
            name: row.name.as_deref(),
            email: row.email.as_deref(),
            external_id: row.external_id.as_deref(),
        };
        builder.push(&fields, &row.json()).unwrap();
        builder.mark_unread(row.unread());
    }
    let rows = u32::try_from(rows.len()).unwrap();
    builder.finish(PageInfo { rows, ..PageInfo::default() })
}

/// Records a walk over rows.
pub(super) fn walk(rows: &[ModelRow], page_size: usize, previous: Option<Arc<StoredList>>) -> (StoredList, Changes) {
    let mut recorder = Recorder::new(previous, u64::MAX);
    for (number, rows) in (0..).zip(rows.chunks(page_size)) {
        let anchor = if number == 0 { Anchor::Start } else { Anchor::Token(format!("t{number}").into()) };
        recorder.push_page(&anchor, &page(rows)).unwrap();
    }
    recorder.finish().unwrap()
}

/// Asserts that a list has exactly these rows.
pub(super) fn assert_rows(list: &StoredList, rows: &[ModelRow]) {
    assert_eq!(list.len(), rows.len());
    let found = list.page(rows.iter().map(|row| list.find(&row.id).unwrap()));
    assert_eq!(found, page(rows));
    for (rank, row) in rows.iter().enumerate() {
        assert_eq!(list.rank(list.find(&row.id).unwrap()), Some(rank));
    }
}

/// Returns rows with few different values. Ids are unique.
pub(super) fn rows(max: usize) -> impl Strategy<Value = Vec<ModelRow>> {
    vec(row(), 0..max).prop_map(|mut rows| {
        let mut ids = std::collections::HashSet::new();
        rows.retain(|row| ids.insert(row.id.clone()));
        rows
    })
}

pub(super) fn row() -> impl Strategy<Value = ModelRow> {
    let text = |pattern: &'static str| option::weighted(0.8, pattern);
    let texts = (
        text("[aAéB]{0,3}"),
        text("[ab]{1,2}@[xX]"),
        text("[xy]{1,3}"),
        text("active|lead"),
        text("p[1-9]{1,2}"),
        text("cu[1-3].x"),
        text("stripe|shopify"),
        text("[pq]{1,3}"),
    );
    let instants = (instant(), instant());
    (0..60_u8, instants, texts, any::<bool>()).prop_map(|(id, (created_at, updated_at), texts, is_unread)| {
        let (name, email, external_id, status, partner_id, customer_id, platform, platform_id) = texts;
        let id = format!("id_{id}");
        ModelRow {
            id,
            created_at,
            updated_at,
            name,
            email,
            external_id,
            status,
            partner_id,
            customer_id,
            platform,
            platform_id,
            is_unread,
        }
    })
}

/// Returns instants of few different values, some with nanoseconds.
pub(super) fn instant() -> impl Strategy<Value = Option<jiff::Timestamp>> {
    let known = prop_oneof![
        9 => (0..9_i64).prop_map(|second| jiff::Timestamp::from_second(second).unwrap()),
        1 => (0..9_i128).prop_map(|n| jiff::Timestamp::from_nanosecond(n * 999_999_999).unwrap()),
    ];
    option::weighted(0.8, known)
}
