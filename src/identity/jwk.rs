//! Public key of a JSON Web Key (RFC 7517), read with tolerance for providers
//! that pad or shorten its numbers.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;

/// base64url, with or without padding. RFC 7518 defines it without.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
/// First byte of an uncompressed point (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// A public key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    pub(super) public: DecodingKey,
    /// Allowed algorithms: at least one, all of one family.
    pub(super) algorithms: Vec<Algorithm>,
}

/// Members of a JSON Web Key that describe a public key. Other members are
/// ignored, whatever they contain.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    public_key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Key {
    /// Parses a key. Returns `None` for a key that cannot verify a signature.
    pub(super) fn parse(json: &str) -> Option<Self> {
        let jwk: Jwk = serde_json::from_str(json).ok()?;
        let can_verify = jwk.public_key_use.as_deref().is_none_or(|it| it == "sig")
            && jwk.key_ops.as_ref().is_none_or(|it| it.iter().any(|operation| operation == "verify"));
        let (public, algorithms) = match (&*jwk.kty, jwk.crv.as_deref()) {
            ("RSA", _) => (jwk.rsa()?, AlgorithmFamily::Rsa.algorithms()),
            ("EC", Some("P-256")) => (jwk.ec(32)?, &[Algorithm::ES256][..]),
            ("EC", Some("P-384")) => (jwk.ec(48)?, &[Algorithm::ES384][..]),
            ("OKP", Some("Ed25519")) => (jwk.ed25519()?, &[Algorithm::EdDSA][..]),
            _ => return None,
        };
        let only = jwk.alg.as_deref();
        let is_allowed = |it: &Algorithm| only.is_none_or(|name| algorithm(name) == Some(*it));
        let algorithms: Vec<_> = algorithms.iter().copied().filter(is_allowed).collect();
        (can_verify && !algorithms.is_empty()).then_some(Self { id: jwk.kid, public, algorithms })
    }
}

impl Jwk {
    fn rsa(&self) -> Option<DecodingKey> {
        // The verifier rejects numbers with leading zeros.
        let (modulus, exponent) = (number(self.n.as_ref()?)?, number(self.e.as_ref()?)?);
        Some(DecodingKey::from_rsa_raw_components(&modulus, &exponent))
    }

    /// Returns the point with coordinates of `length` bytes.
    fn ec(&self, length: usize) -> Option<DecodingKey> {
        let mut point = vec![UNCOMPRESSED];
        for coordinate in [&self.x, &self.y] {
            let coordinate = number(coordinate.as_ref()?)?;
            point.extend(std::iter::repeat_n(0, length.checked_sub(coordinate.len())?));
            point.extend(coordinate);
        }
        Some(DecodingKey::from_ec_der(&point))
    }

    fn ed25519(&self) -> Option<DecodingKey> {
        Some(DecodingKey::from_ed_der(&BASE64_URL.decode(self.x.as_ref()?).ok()?))
    }
}

/// Returns the algorithm of a JOSE name. `Ed25519` (RFC 9864) is `EdDSA`
/// (RFC 8037) with the only curve that the gateway supports.
pub(super) fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "Ed25519" => Some(Algorithm::EdDSA),
        name => name.parse().ok(),
    }
}

/// Decodes a number, without leading zero bytes.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64_URL.decode(text).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[first..].to_vec())
}
