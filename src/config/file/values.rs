//! Values with a syntax of their own: durations, sizes, shares and others.
//!
//! No error repeats the value, which may be a misplaced secret.

use std::{fmt, net::SocketAddr, time::Duration};

use bytesize::ByteSize;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        Error, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use crate::{domain::query::Resource, shared, upstream};

use super::{RateLimit, RateWindow};

/// Maximum duration: a century. A sum of a few such durations still fits into 64
/// bits of nanoseconds, the unit of rates.
const MAX_DURATION: Duration = Duration::from_hours(100 * 365 * 24);

/// A duration, such as `"500ms"`, `"30s"` or `"5m"`, of at most `MAX_DURATION`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PositiveDuration(pub(crate) Duration);

/// A duration that may have days of 24 hours, such as `"1s"` or `"1d"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period(pub(crate) Duration);

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio(pub(crate) f64);

/// A share of a rate limit, such as `0.25`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share(pub(crate) upstream::Share);

/// Use of the rate limits without Redis: `"share"` or `"reject"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnLoss(pub(crate) shared::OnLoss);

/// Name of a list: `"customers"` or `"transactions"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListName(pub(crate) Resource);

/// A timestamp with an offset, such as `"2027-01-31T00:00:00Z"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timestamp(pub(crate) jiff::Timestamp);

/// An IP address with a port.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address(pub(crate) SocketAddr);

/// A number of bytes, such as `"256MiB"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub(crate) ByteSize);

impl PositiveDuration {
    /// Longest duration that a file may have.
    pub(crate) const MAX: Duration = MAX_DURATION;
}

impl<'de> Deserialize<'de> for PositiveDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_duration(deserializer, "\"30s\" or \"5m\"", |text| {
            Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()
        })
        .map(Self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_duration(deserializer, "\"1s\" or \"1d\"", |text| {
            let span = text.parse::<Span>().ok()?.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
            Duration::try_from(span).ok()
        })
        .map(Self)
    }
}

impl<'de> Deserialize<'de> for RateLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RateLimitVisitor)
    }
}

struct RateLimitVisitor;

impl<'de> Visitor<'de> for RateLimitVisitor {
    type Value = RateLimit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ requests = 5, per = \"1s\" }, or a list of such windows")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RateLimit, A::Error> {
        RateWindow::deserialize(MapAccessDeserializer::new(map)).map(|window| RateLimit(vec![window]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<RateLimit, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(RateLimit)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        // TOML parses 0 and 1 as integers.
        let ratio = match value {
            toml::Value::Float(ratio) => Some(ratio),
            toml::Value::Integer(0) => Some(0.0),
            toml::Value::Integer(1) => Some(1.0),
            _ => None,
        };
        let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio)).map(Self);
        ratio.ok_or_else(|| D::Error::custom("invalid ratio; write a number from 0 to 1, such as 0.1"))
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        // TOML parses 1 as an integer.
        let share = value.as_float().or_else(|| (value.as_integer() == Some(1)).then_some(1.0));
        let share = share.and_then(upstream::Share::new).map(Self);
        share.ok_or_else(|| D::Error::custom("invalid share; write a number above 0 and at most 1, such as 0.25"))
    }
}

impl<'de> Deserialize<'de> for OnLoss {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let error = "invalid use of the limits without Redis; write \"share\" or \"reject\"";
        parse_string(deserializer, error, |text| match text {
            "share" => Some(Self(shared::OnLoss::Share)),
            "reject" => Some(Self(shared::OnLoss::Reject)),
            _ => None,
        })
    }
}

impl<'de> Deserialize<'de> for ListName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let error = "invalid list; write \"customers\" or \"transactions\"";
        let named = |text: &str| Resource::ALL.into_iter().find(|resource| resource.name() == text);
        parse_string(deserializer, error, |text| named(text).map(Self))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let error = "invalid timestamp; write a timestamp with an offset, such as \"2027-01-31T00:00:00Z\"";
        parse_string(deserializer, error, |text| text.parse().ok().map(Self))
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let error = "invalid address; write an IP address with a port, such as \"127.0.0.1:8080\"";
        parse_string(deserializer, error, |text| text.parse().ok().map(Self))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let error = "invalid size; write a number of bytes, such as \"256MiB\"";
        parse_string(deserializer, error, |text| text.parse().ok().map(Self))
    }
}

impl Serialize for PositiveDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_duration(self.0, serializer)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_duration(self.0, serializer)
    }
}

/// Writes a single window without a list.
impl Serialize for RateLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [window] => window.serialize(serializer),
            windows => windows.serialize(serializer),
        }
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.fraction())
    }
}

impl Serialize for OnLoss {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self.0 {
            shared::OnLoss::Share => "share",
            shared::OnLoss::Reject => "reject",
        })
    }
}

impl Serialize for ListName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Size {
    /// Writes the largest unit that divides the number of bytes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let bytes = self.0.as_u64();
        let unit = UNITS.into_iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit));
        let (unit, name) = unit.unwrap_or((1, "B"));
        serializer.collect_str(&format_args!("{}{name}", bytes / unit))
    }
}

/// Writes a duration as it is read.
fn serialize_duration<S: Serializer>(duration: Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // The bound of a duration fits.
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    serializer.collect_str(&format_args!("{duration:#}"))
}

/// Parses a duration above zero and of at most `MAX_DURATION`.
fn parse_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
    examples: &str,
    parse: impl FnOnce(&str) -> Option<Duration>,
) -> Result<Duration, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    let duration = value.as_str().and_then(parse).filter(|duration| *duration <= MAX_DURATION);
    match duration {
        Some(duration) if !duration.is_zero() => Ok(duration),
        Some(_) => Err(D::Error::custom(format!(
            "a duration of zero does not disable this setting; write a positive duration such as {examples}"
        ))),
        None => Err(D::Error::custom(format!("invalid duration; write a positive duration such as {examples}"))),
    }
}

/// Parses a string, or returns `error` for any other value.
fn parse_string<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    error: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    value.as_str().and_then(parse).ok_or_else(|| D::Error::custom(error))
}
