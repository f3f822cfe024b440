//! Negotiation of the content coding (RFC 9110, section 12.5.3).

use http::{
    HeaderMap,
    header::{ACCEPT_ENCODING, CACHE_CONTROL},
};

use crate::web::list_value::{elements, split};

use super::{ContentCoding, MIN_BYTES};

/// Codings that a request accepts for a response that is encoded per request. By
/// default, the identity coding.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AcceptedCodings {
    preferred: Option<ContentCoding>,
    /// True if the request forbids the identity coding.
    is_identity_refused: bool,
}

/// Weights of `Accept-Encoding`. The last element counts if a coding is repeated.
#[derive(Debug, Default)]
struct Weights {
    zstd: Option<f32>,
    brotli: Option<f32>,
    gzip: Option<f32>,
    identity: Option<f32>,
    any: Option<f32>,
}

impl AcceptedCodings {
    /// Reads the codings that a request accepts.
    pub(crate) fn new(request: &HeaderMap) -> Self {
        let Some(weights) = Weights::read(request) else {
            return Self::default();
        };
        Self { preferred: weights.preferred(ContentCoding::ALL), is_identity_refused: weights.refuse_identity() }
    }

    /// Returns the coding of a body of `length` bytes; `None` for the identity
    /// coding. A short body is encoded only if the request forbids the identity
    /// coding.
    pub(crate) fn for_length(self, length: u64) -> Option<ContentCoding> {
        self.preferred.filter(|_| length >= MIN_BYTES || self.is_identity_refused)
    }
}

/// Returns the coding with the highest weight. `order` decides between equal
/// weights. `None` if the request prefers the identity coding.
pub(crate) fn preferred(request: &HeaderMap, order: [ContentCoding; 3]) -> Option<ContentCoding> {
    Weights::read(request)?.preferred(order)
}

impl Weights {
    /// Reads `Accept-Encoding`. Unknown codings and elements with an invalid weight
    /// are ignored. `None` if the header is absent, or if `Cache-Control:
    /// no-transform` forbids a coding (RFC 9111, section 5.2.1.6).
    fn read(request: &HeaderMap) -> Option<Self> {
        request.get(ACCEPT_ENCODING)?;
        if elements(request, CACHE_CONTROL).any(|directive| directive.eq_ignore_ascii_case("no-transform")) {
            return None;
        }
        let mut weights = Self::default();
        for element in elements(request, ACCEPT_ENCODING) {
            let mut parts = split(element, b';');
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let Some(weight) = weight(parts) else { continue };
            let slot = match name.as_str() {
                "zstd" => &mut weights.zstd,
                "br" => &mut weights.brotli,
                // RFC 9110, section 8.4.1.3.
                "gzip" | "x-gzip" => &mut weights.gzip,
                "identity" => &mut weights.identity,
                "*" => &mut weights.any,
                _ => continue,
            };
            *slot = Some(weight);
        }
        Some(weights)
    }

    fn of(&self, coding: ContentCoding) -> f32 {
        let own = match coding {
            ContentCoding::Zstd => self.zstd,
            ContentCoding::Brotli => self.brotli,
            ContentCoding::Gzip => self.gzip,
        };
        own.or(self.any).unwrap_or(0.0)
    }

    fn preferred(&self, order: [ContentCoding; 3]) -> Option<ContentCoding> {
        let identity = self.identity.unwrap_or(0.0);
        let accepted = order.into_iter().filter(|&coding| self.of(coding) > 0.0 && self.of(coding) >= identity);
        // `max_by` returns the last of equal elements.
        accepted.rev().max_by(|&one, &other| self.of(one).total_cmp(&self.of(other)))
    }

    fn refuse_identity(&self) -> bool {
        self.identity.or(self.any).is_some_and(|weight| weight <= 0.0)
    }
}

/// Returns the weight among the parameters of an element, 1 if absent. `None` if
/// the weight is invalid (RFC 9110, section 12.4.2).
fn weight<'p>(mut parameters: impl Iterator<Item = &'p str>) -> Option<f32> {
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    let Some(value) = value else { return Some(1.0) };
    value.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepted(value: &str) -> AcceptedCodings {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
        AcceptedCodings::new(&headers)
    }

    #[test]
    fn highest_weight_selects_the_coding() {
        use ContentCoding::{Brotli, Gzip, Zstd};
        for (value, expected) in [
            ("gzip, deflate, br, zstd", Some(Zstd)),
            ("GZIP, Br", Some(Brotli)),
            ("x-gzip", Some(Gzip)),
            ("br ; Q=0.5 , gzip; q=0.6", Some(Gzip)),
            ("*", Some(Zstd)),
            ("zstd;q=0, *;q=0.5", Some(Brotli)),
            ("gzip;q=abc, br;q=2, zstd;q=nan", None),
            ("sdch, gzip", Some(Gzip)),
            ("identity, gzip;q=0.5", None),
            ("identity;q=0.5, gzip;q=0.5", Some(Gzip)),
            ("gzip;q=0", None),
            ("deflate", None),
            ("", None),
        ] {
            assert_eq!(accepted(value).for_length(MIN_BYTES), expected, "{value}");
        }
    }

    #[test]
    fn short_body_is_encoded_without_identity_only() {
        for (value, is_encoded) in
            [("gzip", false), ("gzip, identity;q=0", true), ("gzip, *;q=0", true), ("gzip, *;q=0, identity", false)]
        {
            assert_eq!(accepted(value).for_length(1).is_some(), is_encoded, "{value}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_values_never_panic(value in "[ -~]*") {
            accepted(&value);
        }
    }
}
