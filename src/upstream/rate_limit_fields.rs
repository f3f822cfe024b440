//! Rate limit fields: the `RateLimit` field of the IETF draft and its
//! predecessors, `RateLimit-Reset` and `X-RateLimit-Reset`.
//!
//! A field names a wait only if no call remains. Vendors send the fields with
//! every response.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use sfv::{BareItem, Dictionary, Item, List, ListEntry, Parser};

use super::retry_after::{instant, longest, number, seconds, texts, until, wait};

/// Fields with the time of a reset, and the field with the remaining calls.
const RESETS: &[(&str, &str)] = &[
    ("ratelimit-reset", "ratelimit-remaining"),
    ("x-ratelimit-reset", "x-ratelimit-remaining"),
    ("x-ratelimit-reset-after", "x-ratelimit-remaining"),
    ("x-rate-limit-reset", "x-rate-limit-remaining"),
];
/// Smallest number that is an instant. Smaller numbers are delays in seconds.
const MIN_EPOCH: f64 = 1e9;
/// Upper bounds of instants, each with its units per second.
const EPOCH_UNITS: &[(f64, f64)] = &[(1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (f64::INFINITY, 1e9)];

/// Returns the longest wait until calls remain again.
pub(super) fn reset(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let plain = RESETS.iter().filter(|(_, remaining)| !has_remaining(headers, remaining)).flat_map(|(reset, _)| {
        texts(headers, reset).filter_map(|text| match instant(text) {
            Some(instant) => until(instant, now),
            None => longest(text, |part| instant_or_delay(part, now)),
        })
    });
    plain.chain(structured(headers)).max()
}

/// Returns whether calls remain in every window.
fn has_remaining(headers: &HeaderMap, name: &str) -> bool {
    let mut windows = texts(headers, name).flat_map(|text| text.split(',')).filter_map(|part| number(part.trim()));
    let first = windows.next();
    first.is_some_and(|calls| calls > 0.0) && windows.all(|calls| calls > 0.0)
}

/// Reads a delay in seconds, or an instant in epoch seconds or smaller units.
fn instant_or_delay(text: &str, now: Timestamp) -> Option<Duration> {
    let number = number(text)?;
    if number < MIN_EPOCH {
        return seconds(text);
    }
    let (_, per_second) = EPOCH_UNITS.iter().find(|(bound, _)| number < *bound)?;
    #[expect(clippy::cast_precision_loss, reason = "a double holds the milliseconds of any timestamp exactly")]
    let now = now.as_millisecond() as f64 / 1e3;
    wait(((number / per_second - now) * 1e3).round() / 1e3)
}

/// Reads `RateLimit`, as a list of policies or as the dictionary of earlier
/// drafts.
fn structured(headers: &HeaderMap) -> Option<Duration> {
    let field = joined(headers, "ratelimit");
    if let Ok(policies) = Parser::new(&field).parse_list::<List>() {
        let windows = Parser::new(&joined(headers, "ratelimit-policy")).parse_list::<List>().unwrap_or_default();
        let exhausted = items(&policies).filter(|policy| parameter(policy, "r") == Some(0.0));
        let waits = exhausted.filter_map(|policy| {
            let window = || items(&windows).find(|window| window.bare_item == policy.bare_item);
            parameter(policy, "t").or_else(|| parameter(window()?, "w"))
        });
        return waits.filter_map(wait).max();
    }
    let members = Parser::new(&field).parse_dictionary::<Dictionary>().ok()?;
    let member = |name| match members.get(name) {
        Some(ListEntry::Item(item)) => value(&item.bare_item),
        _ => None,
    };
    if member("remaining").is_some_and(|calls| calls > 0.0) {
        return None;
    }
    wait(member("reset")?)
}

/// Returns the value of a structured field (RFC 9651, section 4.2).
fn joined(headers: &HeaderMap, name: &str) -> String {
    texts(headers, name).collect::<Vec<_>>().join(", ")
}

fn items(list: &List) -> impl Iterator<Item = &Item> {
    list.iter().filter_map(|entry| match entry {
        ListEntry::Item(item) => Some(item),
        ListEntry::InnerList(_) => None,
    })
}

fn parameter(item: &Item, name: &str) -> Option<f64> {
    value(item.params.get(name)?)
}

fn value(item: &BareItem) -> Option<f64> {
    match item {
        BareItem::Integer(integer) => integer.to_string().parse().ok(),
        BareItem::Decimal(decimal) => decimal.to_string().parse().ok(),
        _ => None,
    }
}
