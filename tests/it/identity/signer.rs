//! Keys of an identity provider, and the tokens that they sign. They use
//! another library than the gateway.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A private key with a name.
pub(crate) struct Signer {
    algorithm: &'static str,
    /// The public key, as a JWK.
    pub(crate) jwk: Value,
    sign: Sign,
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    pub(crate) fn es256(id: &str) -> Self {
        Self::ec(id, "ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    pub(crate) fn es384(id: &str) -> Self {
        Self::ec(id, "ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    fn ec(id: &str, algorithm: &'static str, curve: &str, signing: &'static EcdsaSigningAlgorithm) -> Self {
        let pair = EcdsaKeyPair::generate(signing).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
        let jwk = json!({"kty": "EC", "crv": curve, "kid": id, "use": "sig", "x": base64(x), "y": base64(y)});
        let sign = move |message: &[u8]| pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
        Self { algorithm, jwk, sign: Box::new(sign) }
    }

    pub(crate) fn eddsa(id: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "alg": "EdDSA", "x": base64(pair.public_key())});
        Self { algorithm: "EdDSA", jwk, sign: Box::new(move |message| pair.sign(message).as_ref().to_vec()) }
    }

    pub(crate) fn rs256(id: &str) -> Self {
        Self::rsa(id, "RS256", &RSA_PKCS1_SHA256)
    }

    pub(crate) fn rs512(id: &str) -> Self {
        Self::rsa(id, "RS512", &RSA_PKCS1_SHA512)
    }

    pub(crate) fn ps256(id: &str) -> Self {
        Self::rsa(id, "PS256", &RSA_PSS_SHA256)
    }

    fn rsa(id: &str, algorithm: &'static str, encoding: &'static dyn RsaEncoding) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let [n, e] = [pair.public_key().modulus(), pair.public_key().exponent()];
        let [n, e] = [n, e].map(|number| base64(number.big_endian_without_leading_zero()));
        let jwk = json!({"kty": "RSA", "kid": id, "use": "sig", "n": n, "e": e});
        let sign = move |message: &[u8]| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        };
        Self { algorithm, jwk, sign: Box::new(sign) }
    }

    /// Signs a token of these claims, with the key's id in its header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"alg": self.algorithm, "typ": "JWT", "kid": self.jwk["kid"]}), claims)
    }

    /// Signs a token with a custom header.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.token_of_text(header.to_string(), claims.to_string())
    }

    /// Signs a token of these JSON texts, which may be damaged.
    pub(crate) fn token_of_text(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", base64(header), base64(claims));
        let signature = base64((self.sign)(message.as_bytes()));
        format!("{message}.{signature}")
    }
}
