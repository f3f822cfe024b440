//! Tests of error bodies.

use proptest::prelude::*;

use super::{bounded::MAX_NODES, *};

fn read(body: &str) -> (Option<String>, Option<String>, Option<u16>, bool) {
    let ErrorBody { code, message, status, is_error } = ErrorBody::read(body.as_bytes());
    (code, message, status, is_error)
}

#[test]
fn error_is_read_in_every_shape() {
    for (body, code, message, status) in [
        (r#"{"success":false,"message":"Invalid program","code":4001}"#, Some("4001"), Some("Invalid program"), None),
        (r#"{"success":false,"error":{"message":"No","type":"api_error"}}"#, Some("api_error"), Some("No"), None),
        (r#"{"error":"invalid_token","error_description":"Expired"}"#, Some("invalid_token"), Some("Expired"), None),
        (r#"{"error":"Unauthorized"}"#, None, Some("Unauthorized"), None),
        (
            r#"{"statusCode":401,"message":"Unauthorized","error":"Unauthorized"}"#,
            Some("Unauthorized"),
            Some("Unauthorized"),
            Some(401),
        ),
        (r#"{"statusCode":400,"message":["a is bad","b is bad"]}"#, None, Some("a is bad"), Some(400)),
        (r#"{"error":["Invalid program"]}"#, None, Some("Invalid program"), None),
        (r#"{"error":[{"message":"Invalid","code":7}]}"#, Some("7"), Some("Invalid"), None),
        (r#"{"errors":{"email":["is invalid"]}}"#, None, Some("(email: is invalid)"), None),
        (r#"{"errors":["Invalid program"],"message":"No"}"#, None, Some("No (Invalid program)"), None),
        (r#"{"data":{"error":{"type":"rate_limit_error","message":1}}}"#, Some("rate_limit_error"), Some("1"), None),
        (r#"{"error":{"type":null,"title":"T","detail":"D","status":"429"}}"#, None, Some("D"), Some(429)),
    ] {
        let (code, message) = (code.map(str::to_owned), message.map(str::to_owned));
        assert_eq!(read(body), (code, message, status, true), "{body}");
    }
    for (body, message) in [
        ("\u{feff}[{\"message\":\"Bad\"}]", Some("Bad")),
        ("[\"Bad\"]", Some("Bad")),
        ("\"Bad\"", Some("Bad")),
        ("upstream\r\nfailed", Some("upstream failed")),
        ("<html><TITLE>Just a\nmoment</TITLE>", Some("Just a moment")),
        ("<p>", None),
        ("{\"message\":", None),
        ("", None),
    ] {
        assert_eq!(read(body), (None, message.map(str::to_owned), None, false), "{body}");
    }
}

#[test]
fn nodes_beyond_the_limit_are_dropped() {
    let nulls = "null,".repeat(MAX_NODES);
    for (body, message) in [
        (format!(r#"{{"errors":[{nulls}"late"],"message":"No"}}"#), "No"),
        (format!(r#"{{"errors":["early",{nulls}"late"],"message":"No"}}"#), "No (early)"),
        (format!(r#"{{"extra":[{nulls}0],"data":[{nulls}0],"errors":["No"]}}"#), "(No)"),
        (format!(r#"["early",{nulls}"late"]"#), "early"),
    ] {
        assert_eq!(read(&body).1.as_deref(), Some(message));
    }
    assert_eq!(read(&format!(r#"[{nulls}"late"]"#)).1, None);
    // Nested values are nodes too.
    let deep = "[[[null]]],".repeat(MAX_NODES / 4);
    assert_eq!(read(&format!(r#"{{"errors":[{deep}"late"],"message":"No"}}"#)).1.as_deref(), Some("No"));
}

#[test]
fn text_beyond_the_limit_is_dropped() {
    let long = format!("long {}", "é".repeat(MAX_SEARCHED));
    for body in [long.clone(), format!("\"{long}\""), format!(r#"{{"message":"{long}"}}"#)] {
        let message = read(&body).1.unwrap();
        assert!((MAX_SEARCHED - 2..=MAX_SEARCHED + 2).contains(&message.len()), "{}", message.len());
    }
}

#[test]
fn absent_error_is_no_error() {
    for body in [
        r#"{"success":true,"error":null,"data":[]}"#,
        r#"{"error":"","errors":[],"Errors":{},"data":{"error":false}}"#,
        r#"{"success":true,"data":[{"error":"in a row","status":500}]}"#,
        r#"{"ok":1,"error":0}"#,
        r#"{"data":[{"name":"error","error":{"type":"rate_limit_error"},"errors":[1],"success":false,"code":404}]}"#,
        r#"{"data":{"data":[{"error":"in a row"}],"code":500},"customers":[{"error":"in a row"}]}"#,
        r#"{"error":"first","error":null,"data":[]}"#,
        r#"{"code":"4","status":"active","data":[]}"#,
    ] {
        assert!(!ErrorBody::is_stated(body.as_bytes()), "{body}");
    }
    for body in [
        r#"{"success": true, "error": {"type":"rate_limit_error"}, "data":[]}"#,
        r#"{"success" : "false", "data":[]}"#,
        r#"{"success":0,"data":[]}"#,
        r#"{"data":{"error":"No","data":[]}}"#,
        r#"{"data":[],"ok":false}"#,
        r#"{"data":[],"statusCode":429}"#,
        r#"{"data":[],"status":" 503"}"#,
        r#"{"error":null,"error":"last","data":[]}"#,
        r#"{"error":"No","data":[{"name":"\ud800","amount":1e999}]}"#,
        "\u{feff}{\"error\":\"No\",\"data\":[NaN]}\0",
    ] {
        assert!(ErrorBody::is_stated(body.as_bytes()), "{body}");
    }
}

/// Returns an envelope with any of the members that can state an error, and rows.
fn envelope() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "success",
        "ok",
        "error",
        "errors",
        "Errors",
        "status",
        "status_code",
        "statusCode",
        "code",
        "message",
        "data",
    ]);
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec![-1, 0, 1, 200, 399, 400, 429, 599, 600, 4001]).prop_map(Value::from),
        prop::sample::select(vec!["", " ", "true", "FALSE", "no", "0", "error", "active", "404", " 503 ", "4xx"])
            .prop_map(Value::from),
    ];
    scalar.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn envelope_decides_as_the_whole_body(body in envelope().prop_filter("an object", Value::is_object)) {
        let body = body.to_string();
        prop_assert_eq!(ErrorBody::is_stated(body.as_bytes()), ErrorBody::read(body.as_bytes()).is_error, "{}", body);
    }

    #[test]
    fn any_body_is_read(body in any::<Vec<u8>>(), text in "[<>{}\\[\\]\":a-eé0-9 ]{0,40}") {
        for body in [&body[..], text.as_bytes()] {
            let read = ErrorBody::read(body);
            prop_assert!(read.message.is_none_or(|message| !message.contains('\n')));
            ErrorBody::is_stated(body);
            is_challenge(body);
        }
    }
}
