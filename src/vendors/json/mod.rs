//! Tolerant reading of JSON bodies.
//!
//! A body is first read as it is, by [`read_fast`] or else by `serde_json`. If that fails, the body is repaired and read
//! again, so a clean body is parsed once. A body whose records include the
//! vendor's own objects is always repaired, because the objects are served (FACTS.md,
//! cases 41 to 45).

mod fast;
mod members;
mod repair;

use std::{borrow::Cow, collections::HashMap};

use serde_json::value::RawValue;

use super::{VendorError, documented::UnknownFields, wire::missing};

pub(super) use fast::{JSON_TEXT, SCALAR, read_fast};
pub(super) use repair::{LOST, Repairs, repair};

/// Reads a body with `read`, and reads it again after a repair if necessary.
pub(super) fn read<T>(
    body: &[u8],
    is_raw: bool,
    read: impl Fn(&str, Repairs) -> Result<T, VendorError>,
) -> Result<T, VendorError> {
    let mut fault = None;
    if !is_raw && let Ok(text) = std::str::from_utf8(body) {
        match read(text, Repairs::default()) {
            Err(error @ VendorError::Unreadable(_)) => fault = Some(error),
            result => return result,
        }
    }
    // The fault of a body without a repair is the fault of its first reading.
    let (text, repairs) = repair(body).map_err(|error| fault.unwrap_or(error))?;
    read(&text, repairs)
}

/// Fails if a repair has lost the list at one of these paths. The placeholder of
/// the list would be read as an empty list (FACTS.md, case 80).
pub(super) fn require_lists(body: &str, repairs: Repairs, paths: &[&[&str]]) -> Result<(), VendorError> {
    if repairs.lost == 0 {
        return Ok(());
    }
    match paths.iter().find(|path| is_lost(body, path)) {
        Some(path) => Err(missing(&path.join("."))),
        None => Ok(()),
    }
}

/// Returns true if a repair has lost the value at a path.
fn is_lost(json: &str, path: &[&str]) -> bool {
    let Some((name, rest)) = path.split_first() else { return json == LOST };
    let members: Option<HashMap<Cow<'_, str>, &RawValue>> = serde_json::from_str(json).ok();
    members.is_some_and(|members| members.get(*name).is_some_and(|value| is_lost(value.get(), rest)))
}

/// Collects the unknown fields of a body with `scan`, and again after a repair
/// if necessary.
pub(super) fn scan(body: &[u8], scan: impl Fn(&str, &mut UnknownFields)) -> UnknownFields {
    let mut unknown = UnknownFields::default();
    if let Ok(text) = std::str::from_utf8(body) {
        scan(text, &mut unknown);
        if !unknown.has_failed() {
            return unknown;
        }
    }
    let Ok((text, _)) = repair(body) else { return unknown };
    let mut unknown = UnknownFields::default();
    scan(&text, &mut unknown);
    unknown
}
