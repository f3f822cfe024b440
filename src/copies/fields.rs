//! Fields that a row's JSON has and the columns of a page lack.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

/// Fields that filters compare, read from a row's JSON.
#[derive(Debug, Default)]
pub(super) struct JsonFields<'a> {
    pub(super) status: Option<Cow<'a, str>>,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) partner_id: Option<Cow<'a, str>>,
    /// The customer's id at the vendor.
    pub(super) customer_id: Option<Cow<'a, str>>,
    pub(super) source_platform: Option<Cow<'a, str>>,
    pub(super) source_platform_id: Option<Cow<'a, str>>,
}

/// Text that borrows from the JSON, unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    customer_id: Option<Text<'a>>,
    updated_at: Option<Timestamp>,
    #[serde(borrow)]
    referral: Option<Referral<'a>>,
    #[serde(borrow)]
    tax: Option<Tax<'a>>,
}

#[derive(Deserialize)]
struct Referral<'a> {
    #[serde(borrow)]
    partner_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Tax<'a> {
    #[serde(borrow)]
    source_platform: Option<Text<'a>>,
    #[serde(borrow)]
    source_platform_id: Option<Text<'a>>,
}

impl<'a> JsonFields<'a> {
    /// Reads the fields. JSON of another form has none.
    pub(super) fn read(json: &'a [u8]) -> Self {
        let Ok(row) = serde_json::from_slice::<Row<'_>>(json) else { return Self::default() };
        let (source_platform, source_platform_id) =
            row.tax.map(|tax| (tax.source_platform, tax.source_platform_id)).unwrap_or_default();
        let text = |text: Option<Text<'a>>| text.map(|text| text.0);
        Self {
            status: text(row.status),
            updated_at: row.updated_at,
            partner_id: text(row.referral.and_then(|referral| referral.partner_id)),
            customer_id: text(row.customer_id).and_then(vendor_id),
            source_platform: text(source_platform),
            source_platform_id: text(source_platform_id),
        }
    }
}

/// Returns the vendor's part of a gateway id.
fn vendor_id(id: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match id {
        Cow::Borrowed(id) => id.split_once('.').map(|(_, id)| Cow::Borrowed(id)),
        Cow::Owned(id) => id.split_once('.').map(|(_, id)| Cow::Owned(id.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_from_nested_objects() {
        let json = br#"{"id":"tax.c1","status":"act\u0069ve","customer_id":"tax.a.b","updated_at":"2025-01-15T14:30:00.000Z","referral":{"partner_id":"p1"},"tax":{"source_platform":"stripe","source_platform_id":null}}"#;
        let fields = JsonFields::read(json);
        assert_eq!(fields.status.as_deref(), Some("active"));
        assert_eq!(fields.customer_id.as_deref(), Some("a.b"));
        assert_eq!(fields.updated_at, Some("2025-01-15T14:30:00Z".parse().unwrap()));
        assert_eq!(fields.partner_id.as_deref(), Some("p1"));
        assert_eq!((fields.source_platform.as_deref(), fields.source_platform_id), (Some("stripe"), None));
    }

    #[test]
    fn other_json_has_no_fields() {
        assert!(JsonFields::read(b"1").status.is_none());
        assert!(JsonFields::read(b"").updated_at.is_none());
    }
}
