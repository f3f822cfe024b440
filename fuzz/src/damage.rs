//! Damaged values of vendor fields.

use arbitrary::Arbitrary;

/// Names of fields, as either vendor has them.
pub const FIELDS: &[&str] = &[
    "name",
    "email",
    "created_at",
    "updated_at",
    "status",
    "customer_id",
    "external_id",
    "partner",
    "partner_id",
    "shipping_address",
    "exemption_metadata",
    "other",
];

/// Value of a field.
#[derive(Debug, Arbitrary)]
pub enum Damage {
    Text(String),
    LoneSurrogate,
    Control(u8),
    Byte(u8),
    BadEscape(u8),
    Number(f64),
    Integer(i64),
    HugeNumber,
    Word,
    Bool(bool),
    Null,
    List,
    Object,
    Deep(u8),
}

impl Damage {
    /// Appends the value as JSON, which may be damaged.
    pub fn write(&self, row: &mut Vec<u8>) {
        let text = match self {
            Self::Text(text) => serde_json::to_string(text).unwrap_or_default(),
            Self::LoneSurrogate => r#""Ann \ud83d""#.to_owned(),
            Self::BadEscape(byte) => format!("\"\\{}\"", char::from(b'g' + byte % 4)),
            Self::Number(number) => number.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::HugeNumber => "-1E+400".to_owned(),
            Self::Word => "NaN".to_owned(),
            Self::Bool(boolean) => boolean.to_string(),
            Self::Null => "null".to_owned(),
            Self::List => r#"["a", {"id": 1}, null]"#.to_owned(),
            Self::Object => r#"{"id": {}, "line1": [], "city": "x"}"#.to_owned(),
            Self::Deep(depth) => {
                let depth = usize::from(*depth);
                "[".repeat(depth) + &"]".repeat(depth)
            }
            Self::Control(byte) => return row.extend_from_slice(&[b'"', byte % 0x20, b'"']),
            Self::Byte(byte) => return row.extend_from_slice(&[b'"', byte | 0x80, b'"']),
        };
        row.extend_from_slice(if text.is_empty() { b"null" } else { text.as_bytes() });
    }
}
