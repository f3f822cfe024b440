//! Parsing and verification of one token.

use jsonwebtoken::{Header, Validation, decode, decode_header, errors::ErrorKind};
use serde_json::{Map, Value};

use crate::clock::SharedClock;

use super::{
    Settings, TokenError,
    keys::{Key, KeySet},
};

/// Seconds since 1970-01-01T00:00:00Z, optionally with a fraction (RFC 7519,
/// section 2).
pub(super) type NumericDate = f64;

/// Maximum clock skew between the provider and the gateway, in seconds.
const LEEWAY: NumericDate = 60.0;

/// A parsed, unverified token.
pub(super) struct Token<'t> {
    text: &'t str,
    header: Header,
}

impl<'t> Token<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, TokenError> {
        let header = decode_header(text).map_err(|_| TokenError::Unreadable)?;
        // `crit` lists extensions that must be supported (RFC 7515, section
        // 4.1.11). The gateway supports none.
        if header.crit.is_some() {
            return Err(TokenError::Unreadable);
        }
        Ok(Self { text, header })
    }

    /// Returns the id of the signing key, as claimed by the header.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Selects the key that verifies the token. A token without a key id requires
    /// exactly one key for its algorithm.
    pub(super) fn select_key<'k>(&self, keys: &'k KeySet) -> Option<&'k Key> {
        let id = self.key_id();
        let has_id = |key: &&Key| id.is_none() || key.id.as_deref() == id;
        let mut candidates = keys.iter().filter(has_id).filter(|key| key.algorithms.contains(&self.header.alg));
        let key = candidates.next()?;
        (id.is_some() || candidates.next().is_none()).then_some(key)
    }

    /// Verifies the signature and the registered claims. Returns all claims, and the
    /// expiry including the leeway.
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
        // The crate reads the system clock, which tests cannot control.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims: Map<String, Value> =
            decode(self.text, &key.public, &validation).map_err(|error| token_error(error.kind()))?.claims;

        let date = |name: &str| {
            let value = claims.get(name);
            value.map(|value| value.as_f64().ok_or(TokenError::MissingClaim)).transpose()
        };
        let expires = date("exp")?.ok_or(TokenError::MissingClaim)? + LEEWAY;
        if has_expired(expires, clock) {
            return Err(TokenError::Expired);
        }
        if date("nbf")?.is_some_and(|not_before| now(clock) + LEEWAY < not_before) {
            return Err(TokenError::NotYetValid);
        }
        Ok((claims, expires))
    }
}

/// Returns whether an expiry has passed.
pub(super) fn has_expired(expires: NumericDate, clock: &SharedClock) -> bool {
    now(clock) >= expires
}

fn now(clock: &SharedClock) -> NumericDate {
    clock.now().as_duration().as_secs_f64()
}

fn token_error(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidIssuer => TokenError::Issuer,
        ErrorKind::InvalidAudience => TokenError::Audience,
        ErrorKind::MissingRequiredClaim(_) => TokenError::MissingClaim,
        ErrorKind::InvalidSignature => TokenError::InvalidSignature,
        _ => TokenError::Unreadable,
    }
}
