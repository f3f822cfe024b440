//! One token: read, and verified with a key.

use jsonwebtoken::{Header, Validation, decode, decode_header, errors::ErrorKind};
use serde_json::{Map, Value};

use crate::clock::SharedClock;

use super::{
    Settings, TokenError,
    keys::{Key, KeySet},
};

/// Seconds since 1970-01-01T00:00:00Z, perhaps with a fraction (RFC 7519,
/// section 2).
pub(super) type NumericDate = f64;

/// By how many seconds the provider's clock may differ from the gateway's.
const LEEWAY: NumericDate = 60.0;

/// A token that is not verified yet.
pub(super) struct Token<'t> {
    text: &'t str,
    header: Header,
}

impl<'t> Token<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self, TokenError> {
        let header = decode_header(text).map_err(|_| TokenError::Unreadable)?;
        // An extension that must be understood, and none is (RFC 7515, section
        // 4.1.11).
        if header.crit.is_some() {
            return Err(TokenError::Unreadable);
        }
        Ok(Self { text, header })
    }

    /// The name of the key that it says it is signed with.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The key to verify it with: the one that it names, or where it names none
    /// the only one of its algorithm.
    pub(super) fn key<'k>(&self, keys: &'k KeySet) -> Option<&'k Key> {
        let id = self.key_id();
        let is_named = |key: &&Key| id.is_none() || key.id.as_deref() == id;
        let mut fitting = keys.iter().filter(is_named).filter(|key| key.algorithms.contains(&self.header.alg));
        let key = fitting.next()?;
        (id.is_some() || fitting.next().is_none()).then_some(key)
    }

    /// Its claims, and when it expires, the leeway included.
    pub(super) fn verify(
        &self,
        key: &Key,
        settings: &Settings,
        clock: &SharedClock,
    ) -> Result<(Map<String, Value>, NumericDate), TokenError> {
        let mut validation = Validation::new(self.header.alg);
        validation.algorithms.clone_from(&key.algorithms);
        validation.set_issuer(&[&settings.issuer]);
        validation.set_audience(&[&settings.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        // The crate reads the machine's clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims: Map<String, Value> =
            decode(self.text, &key.public, &validation).map_err(|error| refusal(error.kind()))?.claims;

        let date = |name: &str| {
            let value = claims.get(name);
            value.map(|value| value.as_f64().ok_or(TokenError::MissingClaim)).transpose()
        };
        let expires = date("exp")?.ok_or(TokenError::MissingClaim)? + LEEWAY;
        if has_expired(expires, clock) {
            return Err(TokenError::Expired);
        }
        if date("nbf")?.is_some_and(|begins| now(clock) + LEEWAY < begins) {
            return Err(TokenError::NotYetValid);
        }
        Ok((claims, expires))
    }
}

/// Whether a token that expires then has done so.
pub(super) fn has_expired(expires: NumericDate, clock: &SharedClock) -> bool {
    now(clock) >= expires
}

fn now(clock: &SharedClock) -> NumericDate {
    clock.now().as_duration().as_secs_f64()
}

fn refusal(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidIssuer => TokenError::Issuer,
        ErrorKind::InvalidAudience => TokenError::Audience,
        ErrorKind::MissingRequiredClaim(_) => TokenError::MissingClaim,
        ErrorKind::InvalidSignature => TokenError::InvalidSignature,
        _ => TokenError::Unreadable,
    }
}
