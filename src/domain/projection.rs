//! Projection of served records onto some of their fields.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Value of a masked field.
pub const MASK: &str = "***";

/// Member of a record that holds the vendor's own object.
pub const RAW: &str = "raw";

/// Projection of the records of one resource and shape. The remaining values are
/// copied byte for byte, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    paths: Vec<&'static str>,
    members: Vec<Member>,
}

/// A member of an object that remains.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    name: &'static str,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// The whole value.
    Whole,
    /// A fixed text instead of the value.
    Masked,
    /// These members of an object.
    Members(Vec<Member>),
}

/// Members of a JSON object, in their order.
struct Members<'r>(Vec<(&'r str, &'r RawValue)>);

impl Projection {
    /// Creates a projection onto these paths of [`RecordFields`]. Values of
    /// `masked` paths are replaced by [`MASK`], unless they are null.
    ///
    /// [`RecordFields`]: super::record::RecordFields
    #[must_use]
    pub fn new(paths: Vec<&'static str>, masked: &[&str], has_raw: bool) -> Self {
        let mut members = Vec::new();
        for path in paths.iter().copied().chain(has_raw.then_some(RAW)) {
            let content = if masked.contains(&path) { Content::Masked } else { Content::Whole };
            insert(&mut members, path, content);
        }
        Self { paths, members }
    }

    /// Returns the paths that remain, without [`RAW`].
    #[must_use]
    pub fn paths(&self) -> &[&'static str] {
        &self.paths
    }

    /// Appends the projection of a record's JSON. A record that is not an object
    /// of the gateway is replaced by an empty object.
    pub fn write(&self, record: &[u8], json: &mut Vec<u8>) {
        let start = json.len();
        let written = serde_json::from_slice(record).and_then(|record| write_object(&record, &self.members, json));
        if written.is_err() {
            json.truncate(start);
            json.extend_from_slice(b"{}");
        }
    }
}

/// Adds a path. A path that is added twice has no further effect.
fn insert(members: &mut Vec<Member>, path: &'static str, content: Content) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let position = members.iter().position(|member| member.name == name);
    match (rest, position) {
        (None, None) => members.push(Member { name, content }),
        (None, Some(_)) => {}
        (Some(rest), position) => {
            let index = position.unwrap_or(members.len());
            if position.is_none() {
                members.push(Member { name, content: Content::Members(Vec::new()) });
            }
            if let Content::Members(inner) = &mut members[index].content {
                insert(inner, rest, content);
            }
        }
    }
}

/// Appends the members of an object that remain.
fn write_object(Members(object): &Members<'_>, members: &[Member], json: &mut Vec<u8>) -> serde_json::Result<()> {
    let mut separator = b'{';
    for (name, value) in object {
        let Some(member) = members.iter().find(|member| member.name == *name) else { continue };
        let start = json.len();
        json.push(separator);
        // The names of members require no escapes.
        json.push(b'"');
        json.extend_from_slice(name.as_bytes());
        json.extend_from_slice(b"\":");
        match &member.content {
            Content::Masked if value.get() != "null" => {
                json.push(b'"');
                json.extend_from_slice(MASK.as_bytes());
                json.push(b'"');
            }
            Content::Whole | Content::Masked => json.extend_from_slice(value.get().as_bytes()),
            Content::Members(inner) => {
                let inner_start = json.len();
                write_object(&serde_json::from_str(value.get())?, inner, json)?;
                // An object without a value is absent.
                if json[inner_start..] == *b"{}" {
                    json.truncate(start);
                    continue;
                }
            }
        }
        separator = b',';
    }
    if separator == b'{' {
        json.push(b'{');
    }
    json.push(b'}');
    Ok(())
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(map.size_hint().unwrap_or(16));
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(paths: &[&'static str], has_raw: bool, record: &str) -> String {
        let mut json = b"before ".to_vec();
        Projection::new(paths.to_vec(), &[], has_raw).write(record.as_bytes(), &mut json);
        String::from_utf8(json).unwrap().strip_prefix("before ").unwrap().to_owned()
    }

    #[test]
    fn values_are_copied_byte_for_byte() {
        let record = r#"{"id":"a.1","amount":1.50e+2,"name":"\u00e9\"}{,","raw":{"b" : [1 , 2],"a":1e400},"x":1}"#;
        let projected = project(&["id", "amount", "name"], true, record);
        assert_eq!(projected, r#"{"id":"a.1","amount":1.50e+2,"name":"\u00e9\"}{,","raw":{"b" : [1 , 2],"a":1e400}}"#);
        assert_eq!(project(&["amount", "id"], false, record), r#"{"id":"a.1","amount":1.50e+2}"#);
    }

    #[test]
    fn masked_values_are_replaced_unless_null() {
        let record = r#"{"id":"1","name":"Jim","email":null,"tax":{"a":"","b":"x"}}"#;
        let mut json = Vec::new();
        let paths = vec!["id", "name", "email", "tax.a", "tax.b"];
        Projection::new(paths, &["name", "email", "tax.a"], false).write(record.as_bytes(), &mut json);
        assert_eq!(json, br#"{"id":"1","name":"***","email":null,"tax":{"a":"***","b":"x"}}"#);
    }

    #[test]
    fn object_without_members_is_absent() {
        let record = r#"{"id":"1","referral":{"partner_id":null,"partner":{"id":"p","email":"e"}},"tax":{"n":1}}"#;
        for (paths, expected) in [
            (&["id", "referral.partner_id"][..], r#"{"id":"1","referral":{"partner_id":null}}"#),
            (&["referral.partner.email", "id"], r#"{"id":"1","referral":{"partner":{"email":"e"}}}"#),
            (&["referral.partner.status"], "{}"),
            (&["tax.n"], r#"{"tax":{"n":1}}"#),
            (&["id", "shipping_address.city"], r#"{"id":"1"}"#),
        ] {
            assert_eq!(project(paths, false, record), expected, "{paths:?}");
        }
    }

    #[test]
    fn other_text_becomes_an_empty_object() {
        for record in ["", "null", "[1]", r#"{"id":"#, r#"{"referral":1,"id":"1"}"#, "{\"id\":\"\u{fffd}"] {
            assert_eq!(project(&["id", "referral.partner_id"], true, record), "{}", "{record}");
        }
    }
}
