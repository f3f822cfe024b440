//! Parsing and verification of one token (a JWS in compact form, RFC 7515).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, crypto};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::{Map, Value};

use crate::clock::SharedClock;

use super::{
    Settings, TokenError,
    json::{ObjectError, UniqueObject},
    jwk,
    jwk::Key,
    keys::KeySet,
};

/// Seconds since 1970-01-01T00:00:00Z, optionally with a fraction (RFC 7519,
/// section 2).
pub(super) type NumericDate = f64;

/// Maximum clock skew between the provider and the gateway, in seconds.
const LEEWAY: NumericDate = 60.0;
/// First `exp` that is out of range: 2^64 seconds.
const EXPIRY_LIMIT: NumericDate = 18_446_744_073_709_551_616.0;

/// A parsed, unverified token.
pub(super) struct Token<'t> {
    /// Header and claims as received.
    message: &'t str,
    claims: &'t str,
    signature: &'t str,
    algorithm: Algorithm,
    key_id: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Whether extensions are listed that must be supported.
    #[serde(default, rename = "crit", deserialize_with = "is_present")]
    has_extensions: bool,
}

impl<'t> Token<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, TokenError> {
        let (message, signature) = text.rsplit_once('.').ok_or(TokenError::Unreadable)?;
        let (header, claims) = message.split_once('.').ok_or(TokenError::Unreadable)?;
        if claims.contains('.') {
            return Err(TokenError::Unreadable);
        }
        let header = serde_json::from_value(decode(header)?.into());
        let header: Header = header.map_err(|_| TokenError::Unreadable)?;
        // `crit` lists extensions that must be supported (RFC 7515, section
        // 4.1.11). The gateway supports none.
        if header.has_extensions {
            return Err(TokenError::Unreadable);
        }
        let algorithm = jwk::algorithm(&header.alg).ok_or(TokenError::Unreadable)?;
        Ok(Self { message, claims, signature, algorithm, key_id: header.kid })
    }

    /// Returns the id of the signing key, as claimed by the header.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Verifies the signature with the keys that have the token's key id and allow
    /// its algorithm. A token without a key id requires exactly one such key.
    pub(super) fn verify_signature(&self, keys: &KeySet) -> Result<(), TokenError> {
        let id = self.key_id();
        let fits = |key: &&Key| (id.is_none() || key.id.as_deref() == id) && key.algorithms.contains(&self.algorithm);
        let candidates: Vec<_> = keys.iter().filter(fits).collect();
        if candidates.is_empty() || (id.is_none() && candidates.len() > 1) {
            return Err(TokenError::NoKey);
        }
        let is_signed_by = |key: &&Key| {
            crypto::verify(self.signature, self.message.as_bytes(), &key.public, self.algorithm).unwrap_or(false)
        };
        candidates.iter().any(is_signed_by).then_some(()).ok_or(TokenError::InvalidSignature)
    }

    /// Validates the registered claims. Returns all claims, and the expiry including
    /// the leeway. Requires a verified signature.
    pub(super) fn validate_claims(
        &self,
        settings: &Settings,
        clock: &SharedClock,
    ) -> Result<(Map<String, Value>, NumericDate), TokenError> {
        let claims = decode(self.claims)?;
        if claims.get("iss").and_then(Value::as_str).ok_or(TokenError::MissingClaim)? != settings.issuer {
            return Err(TokenError::Issuer);
        }
        if !audiences(&claims)?.contains(&&*settings.audience) {
            return Err(TokenError::Audience);
        }
        let expires = date(&claims, "exp")?.filter(|date| (0.0..EXPIRY_LIMIT).contains(date));
        let expires = expires.ok_or(TokenError::MissingClaim)? + LEEWAY;
        if has_expired(expires, clock) {
            return Err(TokenError::Expired);
        }
        if date(&claims, "nbf")?.is_some_and(|not_before| now(clock) + LEEWAY < not_before) {
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

/// Returns the values of `aud`: a string or a list of strings (RFC 7519, section
/// 4.1.3).
fn audiences(claims: &Map<String, Value>) -> Result<Vec<&str>, TokenError> {
    let audiences = match claims.get("aud") {
        Some(Value::String(audience)) => Some(vec![&**audience]),
        Some(Value::Array(audiences)) => audiences.iter().map(Value::as_str).collect(),
        _ => None,
    };
    audiences.ok_or(TokenError::MissingClaim)
}

fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<NumericDate>, TokenError> {
    claims.get(name).map(|value| value.as_f64().ok_or(TokenError::MissingClaim)).transpose()
}

/// Decodes a JSON object in base64url.
fn decode(text: &str) -> Result<Map<String, Value>, TokenError> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Unreadable)?;
    match UniqueObject::parse(&json) {
        Ok(UniqueObject(object)) => Ok(object),
        Err(ObjectError::NotObject) => Err(TokenError::Unreadable),
        Err(ObjectError::Repeated) => Err(TokenError::RepeatedMember),
    }
}

/// Returns true for any value, also for null.
fn is_present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}
