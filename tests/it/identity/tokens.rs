//! Validation of tokens.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{
    Engine,
    prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{
    AUDIENCE, ISSUER, START, claims,
    signer::{Signer, base64},
    stage_with_keys, stage_with_response,
};
use crate::support::Reply;

#[tokio::test]
async fn token_of_each_algorithm_is_accepted() {
    let signers = [
        Signer::es256("a"),
        Signer::es384("b"),
        Signer::eddsa("c"),
        Signer::rs256("d"),
        Signer::rs512("e"),
        Signer::ps256("f"),
    ];
    let stage = stage_with_keys(&signers.each_ref()).await;
    for signer in &signers {
        assert_eq!(stage.outcome(&signer.token(&claims(json!({})))).await, "200", "{}", signer.jwk);
    }
    assert_eq!(stage.provider().fetches(), 1);
}

#[tokio::test]
async fn registered_claims_are_validated() {
    let signer = Signer::es256("a");
    let stage = stage_with_keys(&[&signer]).await;
    let mut told = Vec::new();
    for others in [
        json!({}),
        json!({"iss": "https://login.example.com"}),
        json!({"iss": null}),
        json!({"iss": [ISSUER]}),
        json!({"iss": {"0": ISSUER}}),
        json!({"aud": "another"}),
        json!({"aud": ["another", AUDIENCE]}),
        json!({"aud": ["another"]}),
        json!({"aud": [AUDIENCE, 7]}),
        json!({"aud": {"0": AUDIENCE}}),
        json!({"aud": []}),
        json!({"aud": null}),
        json!({"exp": null}),
        json!({"exp": "tomorrow"}),
        json!({"exp": -1}),
        json!({"exp": 1e300}),
        json!({"exp": START - 61}),
        json!({"exp": START - 60}),
        json!({"exp": START - 59}),
        json!({"exp": 1_761_955_140.5}),
        json!({"exp": (START + 60).to_string()}),
        json!({"nbf": START + 60}),
        json!({"nbf": 1_761_955_260.5}),
        json!({"nbf": START + 61}),
        json!({"nbf": "tomorrow"}),
    ] {
        told.push(format!("{others}: {}", stage.outcome(&signer.token(&claims(others.clone()))).await));
    }
    assert_snapshot!(told.join("\n"), @r#"
    {}: 200
    {"iss":"https://login.example.com"}: 401 unauthenticated the token has another issuer
    {"iss":null}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"iss":["https://login.example.com/"]}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"iss":{"0":"https://login.example.com/"}}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"aud":"another"}: 401 unauthenticated the token is for another audience
    {"aud":["another","customer-gateway"]}: 200
    {"aud":["another"]}: 401 unauthenticated the token is for another audience
    {"aud":["customer-gateway",7]}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"aud":{"0":"customer-gateway"}}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"aud":[]}: 401 unauthenticated the token is for another audience
    {"aud":null}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"exp":null}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"exp":"tomorrow"}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"exp":-1}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"exp":1e+300}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"exp":1761955139}: 401 unauthenticated the token has expired
    {"exp":1761955140}: 401 unauthenticated the token has expired
    {"exp":1761955141}: 200
    {"exp":1761955140.5}: 200
    {"exp":"1761955260"}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    {"nbf":1761955260}: 200
    {"nbf":1761955260.5}: 401 unauthenticated the token is not valid yet
    {"nbf":1761955261}: 401 unauthenticated the token is not valid yet
    {"nbf":"tomorrow"}: 401 unauthenticated the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim
    "#);
}

/// FACTS.md, case 119.
#[tokio::test]
async fn token_with_repeated_member_is_rejected() {
    const REPEATED: &str = "401 unauthenticated the token repeats a member of its header or claims";
    let signer = Signer::es256("a");
    let stage = stage_with_keys(&[&signer]).await;
    let header = r#"{"alg":"ES256","kid":"a"}"#;
    let all = claims(json!({"jti": {"a": [{"b": 1}], "c": null}, "n": [1, -1, 0.5, true]}));
    assert_eq!(stage.outcome(&signer.token_of_text(header, all.to_string())).await, "200");
    let insert = |object: &str, members: &str| object.replacen('{', &format!("{{{members},"), 1);
    let mut repeated: Vec<String> =
        all.as_object().unwrap().iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    // Equal after unescaping, within an object, and within a list.
    repeated.extend([r#""\u0061zp":"x""#, r#""x":{"y":1,"y":1}"#, r#""x":[[{"y":1,"y":2}]]"#].map(str::to_owned));
    for members in repeated {
        let token = signer.token_of_text(header, insert(&all.to_string(), &members));
        assert_eq!(stage.outcome(&token).await, REPEATED, "{members}");
    }
    for members in [r#""alg":"ES256""#, r#""kid":"b""#, r#""typ":"JWT","typ":"JWT""#, r#""x":{"y":1,"y":1}"#] {
        let token = signer.token_of_text(insert(header, members), all.to_string());
        assert_eq!(stage.outcome(&token).await, REPEATED, "{members}");
    }
}

#[tokio::test]
async fn token_expires_by_the_clock() {
    let signer = Signer::es256("a");
    let stage = stage_with_keys(&[&signer]).await;
    let token = signer.token(&claims(json!({"exp": START + 600, "nbf": START + 120})));
    assert_eq!(stage.outcome(&token).await, "401 unauthenticated the token is not valid yet");
    stage.gateway.clock.advance(Duration::from_mins(1));
    assert_eq!(stage.outcome(&token).await, "200");
    // The token is cached by now, and in the response cache.
    stage.gateway.get_as(&token, "/customers").await.ok();
    stage.gateway.clock.advance(Duration::from_secs(599));
    assert_eq!(stage.outcome(&token).await, "200");
    stage.gateway.get_as(&token, "/customers").await.ok();
    assert!(stage.gateway.get_as(&token, "/customers").await.header("cache-status").contains("; hit"));
    stage.gateway.clock.advance(Duration::from_secs(1));
    assert_eq!(stage.outcome(&token).await, "401 unauthenticated the token has expired");
    assert_eq!(stage.gateway.get_as(&token, "/customers").await.code(401), "unauthenticated");
}

#[tokio::test]
async fn rejected_token_is_named_in_the_challenge() {
    let signer = Signer::es256("a");
    let stage = stage_with_keys(&[&signer]).await;
    let mut told = Vec::new();
    for (what, token) in [
        ("expired", signer.token(&claims(json!({"exp": START - 100})))),
        ("incomplete", signer.token(&claims(json!({"iss": null})))),
        ("no token", "a.b".to_owned()),
        ("unknown key", "cgk_wrong".to_owned()),
    ] {
        let answer = stage.gateway.get_as(&token, "/customers").await;
        assert_eq!(answer.code(401), "unauthenticated");
        told.push(format!("{what}: {}", answer.header("www-authenticate")));
    }
    assert_eq!(stage.gateway.get("/customers").await.header("www-authenticate"), "Bearer");
    assert_snapshot!(told.join("\n"), @r#"
    expired: Bearer error="invalid_token", error_description="the token has expired"
    incomplete: Bearer error="invalid_token", error_description="the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim"
    no token: Bearer error="invalid_token", error_description="the token is malformed, or is not signed with a supported public-key algorithm"
    unknown key: Bearer error="invalid_token", error_description="the key is unknown"
    "#);
}

/// Returns a token with an HMAC of a secret in place of a signature.
fn hmac_token(key: &str, secret: &[u8], claims: &Value) -> String {
    let message = format!("{}.{}", base64(json!({"alg": "HS256", "kid": key}).to_string()), base64(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", base64(tag))
}

#[tokio::test]
async fn token_without_valid_signature_is_rejected() {
    let (signer, stranger) = (Signer::rs256("a"), Signer::rs256("a"));
    // A symmetric key in the set is the provider's mistake, and is ignored.
    let secret = json!({"kty": "oct", "kid": "b", "alg": "HS256", "k": base64("secret")});
    let stage = stage_with_response(Reply::json(&json!({"keys": [signer.jwk, secret]}))).await;
    let (claims, mine) = (claims(json!({})), claims(json!({"azp": "ops"})));
    let right = signer.token(&claims);
    assert_eq!(stage.outcome(&right).await, "200");

    let [header, body, signature] = right.split('.').collect::<Vec<_>>().try_into().unwrap();
    let none = base64(json!({"alg": "none", "kid": "a"}).to_string());
    let modulus = signer.jwk["n"].as_str().unwrap();
    let with = |header: Value| signer.token_with(&header, &claims);
    let mut told = Vec::new();
    for (what, token) in [
        ("none", format!("{none}.{body}.")),
        ("none, with the signature", format!("{none}.{body}.{signature}")),
        ("HS256 with the encoded modulus", hmac_token("a", modulus.as_bytes(), &claims)),
        ("HS256 with the public key", hmac_token("a", signer.jwk.to_string().as_bytes(), &claims)),
        ("HS256 with the set's symmetric key", hmac_token("b", b"secret", &claims)),
        ("no signature", format!("{header}.{body}.")),
        ("no third part", format!("{header}.{body}")),
        ("a fourth part", format!("{right}.{signature}")),
        ("other claims", format!("{header}.{}.{signature}", base64(mine.to_string()))),
        ("another's key of this name", stranger.token(&claims)),
        ("another algorithm of its key's", with(json!({"alg": "PS256", "kid": "a"}))),
        ("another kind of key", with(json!({"alg": "ES256", "kid": "a"}))),
        ("its own key along", stranger.token_with(&json!({"alg": "RS256", "jwk": stranger.jwk, "kid": "a"}), &claims)),
        ("what must be understood", with(json!({"alg": "RS256", "kid": "a", "crit": ["b64"], "b64": false}))),
        ("an extension list that is null", with(json!({"alg": "RS256", "kid": "a", "crit": null}))),
        ("an empty extension list", with(json!({"alg": "RS256", "kid": "a", "crit": []}))),
        ("an algorithm that is a number", with(json!({"alg": 7, "kid": "a"}))),
        ("an algorithm in lower case", with(json!({"alg": "rs256", "kid": "a"}))),
        ("Ed448", with(json!({"alg": "Ed448", "kid": "a"}))),
        ("no algorithm", with(json!({"kid": "a"}))),
        ("claims that are a list", signer.token(&json!([1]))),
        ("no JSON", format!("{}.{}.{signature}", base64("a"), base64("b"))),
        ("dots", "..".to_owned()),
        ("a dot", ".".to_owned()),
    ] {
        told.push(format!("{what}: {}", stage.outcome(&token).await));
    }
    assert_snapshot!(told.join("\n"), @r"
    none: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    none, with the signature: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    HS256 with the encoded modulus: 401 unauthenticated no key of the identity provider matches the token
    HS256 with the public key: 401 unauthenticated no key of the identity provider matches the token
    HS256 with the set's symmetric key: 401 unauthenticated no key of the identity provider matches the token
    no signature: 401 unauthenticated the token's signature is invalid
    no third part: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    a fourth part: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    other claims: 401 unauthenticated the token's signature is invalid
    another's key of this name: 401 unauthenticated the token's signature is invalid
    another algorithm of its key's: 401 unauthenticated the token's signature is invalid
    another kind of key: 401 unauthenticated no key of the identity provider matches the token
    its own key along: 401 unauthenticated the token's signature is invalid
    what must be understood: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    an extension list that is null: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    an empty extension list: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    an algorithm that is a number: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    an algorithm in lower case: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    Ed448: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    no algorithm: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    claims that are a list: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    no JSON: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    dots: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    a dot: 401 unauthenticated the token is malformed, or is not signed with a supported public-key algorithm
    ");
}

#[tokio::test]
async fn key_is_used_only_for_its_declared_purpose() {
    let signer = Signer::rs256("a");
    let mut told = Vec::new();
    for (member, value) in [
        ("use", json!("sig")),
        ("use", json!("enc")),
        ("alg", json!("RS256")),
        ("alg", json!("RS384")),
        ("alg", json!("RSA-OAEP")),
        ("alg", json!("HS256")),
        ("key_ops", json!(["verify"])),
        ("key_ops", json!(["encrypt"])),
        ("x5c", json!(["MIIC"])),
        ("kty", json!("AKP")),
    ] {
        let mut jwk = signer.jwk.clone();
        jwk[member] = value.clone();
        // An unreadable key does not affect the other keys.
        let stage = stage_with_response(Reply::json(&json!({"keys": [{"kty": 7}, jwk, Signer::es256("b").jwk]}))).await;
        let asked = stage.outcome(&signer.token(&claims(json!({})))).await;
        told.push(format!("{member} {value}: {asked}"));
    }
    assert_snapshot!(told.join("\n"), @r#"
    use "sig": 200
    use "enc": 401 unauthenticated no key of the identity provider matches the token
    alg "RS256": 200
    alg "RS384": 401 unauthenticated no key of the identity provider matches the token
    alg "RSA-OAEP": 401 unauthenticated no key of the identity provider matches the token
    alg "HS256": 401 unauthenticated no key of the identity provider matches the token
    key_ops ["verify"]: 200
    key_ops ["encrypt"]: 401 unauthenticated no key of the identity provider matches the token
    x5c ["MIIC"]: 200
    kty "AKP": 401 unauthenticated no key of the identity provider matches the token
    "#);
}

#[tokio::test]
async fn token_without_key_id_needs_one_fitting_key() {
    let [one, other, elliptic] = [Signer::rs256("a"), Signer::rs256("b"), Signer::es256("c")];
    let header = json!({"alg": "RS256"});
    let token = one.token_with(&header, &claims(json!({})));
    let stage = stage_with_keys(&[&elliptic, &one]).await;
    assert_eq!(stage.outcome(&token).await, "200");
    let stage = stage_with_keys(&[&one, &other]).await;
    assert_eq!(stage.outcome(&token).await, "401 unauthenticated no key of the identity provider matches the token");
    let stage = stage_with_keys(&[&elliptic]).await;
    assert_eq!(stage.outcome(&token).await, "401 unauthenticated no key of the identity provider matches the token");
}

// Found by the fuzz targets (RFC 7515, section 5.2).
#[tokio::test]
async fn token_that_is_not_utf8_is_rejected() {
    let signer = Signer::eddsa("a");
    let stage = stage_with_keys(&[&signer]).await;
    let (header, claims) = (br#"{"alg":"EdDSA","kid":"a","typ":"@"}"#, claims(json!({"x": "@"})).to_string());
    for (byte, header_status, claims_status) in [(b'J', "200", "200"), (0xCB, "401", "401"), (0xFF, "401", "401")] {
        let replace = |text: &[u8]| text.iter().map(|it| if *it == b'@' { byte } else { *it }).collect::<Vec<_>>();
        let token = signer.token_of_text(replace(header), &claims);
        assert_eq!(stage.outcome(&token).await[..3], *header_status, "{byte}");
        let token = signer.token_of_text(header, replace(claims.as_bytes()));
        assert_eq!(stage.outcome(&token).await[..3], *claims_status, "{byte}");
    }
}

#[tokio::test]
async fn ed25519_names_the_same_algorithm_as_eddsa() {
    // RFC 9864 names the algorithm `Ed25519`, and RFC 8037 `EdDSA`.
    for declared in [json!("EdDSA"), json!("Ed25519"), Value::Null] {
        let mut signer = Signer::eddsa("a");
        signer.jwk["alg"] = declared;
        let stage = stage_with_keys(&[&signer]).await;
        for algorithm in ["EdDSA", "Ed25519"] {
            let token = signer.token_with(&json!({"alg": algorithm, "kid": "a"}), &claims(json!({})));
            assert_eq!(stage.outcome(&token).await, "200", "{algorithm} with {}", signer.jwk);
        }
    }
}

#[tokio::test]
async fn jwk_numbers_may_be_padded_or_shortened() {
    let zeros = |text: &Value, zeros: usize| {
        let mut bytes = vec![0; zeros];
        bytes.extend(BASE64_URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap());
        bytes
    };
    let mut told = Vec::new();
    for (algorithm, members) in [("rsa", ["n", "e"]), ("ec", ["x", "y"]), ("ed", ["x", "x"])] {
        for form in ["leading zero", "two leading zeros", "padding", "shortened"] {
            // A shortened coordinate lacks its leading zero byte.
            let (signer, mut jwk) = loop {
                let signer = match algorithm {
                    "rsa" => Signer::rs256("a"),
                    "ec" => Signer::es256("a"),
                    _ => Signer::eddsa("a"),
                };
                let jwk = signer.jwk.clone();
                if form != "shortened" || algorithm != "ec" || zeros(&jwk["x"], 0)[0] == 0 {
                    break (signer, jwk);
                }
            };
            for member in members {
                jwk[member] = match form {
                    "padding" => BASE64_URL_SAFE.encode(zeros(&signer.jwk[member], 0)),
                    "leading zero" => base64(zeros(&signer.jwk[member], 1)),
                    "two leading zeros" => base64(zeros(&signer.jwk[member], 2)),
                    _ => {
                        let bytes = zeros(&signer.jwk[member], 0);
                        base64(if bytes[0] == 0 { &bytes[1..] } else { &bytes })
                    }
                }
                .into();
            }
            let stage = stage_with_response(Reply::json(&json!({"keys": [jwk]}))).await;
            let outcome = stage.outcome(&signer.token(&claims(json!({})))).await;
            told.push(format!("{algorithm}, {form}: {}", &outcome[..3]));
        }
    }
    assert_snapshot!(told.join("\n"), @r"
    rsa, leading zero: 200
    rsa, two leading zeros: 200
    rsa, padding: 200
    rsa, shortened: 200
    ec, leading zero: 200
    ec, two leading zeros: 200
    ec, padding: 200
    ec, shortened: 200
    ed, leading zero: 401
    ed, two leading zeros: 401
    ed, padding: 200
    ed, shortened: 200
    ");
}

#[tokio::test]
async fn byte_order_mark_before_key_set_is_skipped() {
    let signer = Signer::es256("a");
    let document = format!("\u{feff}{}", json!({"keys": [signer.jwk]}));
    let stage = stage_with_response(Reply::text(200, &document)).await;
    assert_eq!(stage.outcome(&signer.token(&claims(json!({})))).await, "200");
}

#[tokio::test]
async fn malformed_key_does_not_affect_other_keys() {
    let signer = Signer::es256("a");
    let mut jwk = signer.jwk.to_string();
    // Members that do not describe the public key may contain anything.
    jwk.insert_str(1, r#""x5c":7,"name":"\ud83d","order":1e400,"#);
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let keys = format!(r#"{{"keys":[null,7,"",{{}},{deep},{{"kty":"EC","crv":"\ud83d"}},{{"n":1e400}},{jwk}]}}"#);
    let stage = stage_with_response(Reply::text(200, &keys)).await;
    assert_eq!(stage.outcome(&signer.token(&claims(json!({})))).await, "200");
}

#[tokio::test]
async fn keys_with_one_id_are_tried_in_turn() {
    let signers = [Signer::es256("a"), Signer::es256("a"), Signer::rs256("a"), Signer::es256("a")];
    let stage = stage_with_keys(&signers.each_ref()).await;
    for signer in &signers {
        assert_eq!(stage.outcome(&signer.token(&claims(json!({})))).await, "200", "{}", signer.jwk);
    }
    let stranger = Signer::es256("a").token(&claims(json!({})));
    assert_eq!(stage.outcome(&stranger).await, "401 unauthenticated the token's signature is invalid");
}

#[tokio::test]
async fn tokens_never_appear_in_responses() {
    let signer = Signer::es256("a");
    let stage = stage_with_keys(&[&signer]).await;
    for others in [json!({}), json!({"exp": START - 100}), json!({"aud": "secret-audience"}), json!({"azp": "nobody"})]
    {
        let token = signer.token(&claims(others));
        for target in ["/customers?connection=nope", "/nope", "/connections", "/metrics"] {
            let answer = stage.gateway.get_as(&token, target).await;
            for part in token.split('.').chain(["jim@example.com", "secret-audience"]) {
                assert!(
                    !answer.text.contains(part) && !format!("{:?}", answer.headers).contains(part),
                    "{}",
                    answer.text
                );
            }
        }
    }
}
