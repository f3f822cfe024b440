//! Tests of the repair.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn repaired(body: &[u8]) -> Option<(String, Repairs)> {
    repair(body).ok()
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}|[\u{0}-\u{1f}\"\\\\]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-c]{1,2}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn placeholder_appears_only_for_lost_values() {
    let (text, repairs) = repaired(b"[[ \t ], [\t], {\t}, NaN, \"[\t]\"]").unwrap();
    assert_eq!(text, "[[], [], {}, [\t\r\t], \"[\\u0009]\"]");
    assert_eq!((repairs.lost, repairs.values), (1, 1));
}

#[test]
fn nested_repeated_names_are_removed() {
    let (text, repairs) = repaired(br#"{"a":{"b":1,"b":2},"a":{"c":3,"\u0063":4},"a":5 ,"d":6}"#).unwrap();
    assert_eq!(text, r#"{"a":5 ,"d":6}"#);
    assert_eq!(repairs.values, 4);
}

#[test]
fn members_of_open_objects_are_bounded() {
    let object = |members| {
        let members: Vec<_> = (0..members).map(|name| format!("\"{name}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(repaired(object(MAX_MEMBERS).as_bytes()).is_some());
    assert!(repaired(object(MAX_MEMBERS + 1).as_bytes()).is_none());
    let nested = format!(r#"{{"a":{}}}"#, object(MAX_MEMBERS));
    assert!(repaired(nested.as_bytes()).is_none());
    let list = vec![object(MAX_MEMBERS / 2); 4].join(",");
    assert!(repaired(format!("[{list}]").as_bytes()).is_some());
}

proptest! {
    #[test]
    fn valid_json_is_unchanged(value in json(), is_pretty: bool) {
        let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        prop_assert_eq!(repaired(text.as_bytes()), Some((text, Repairs::default())));
    }

    #[test]
    fn repaired_text_is_valid_and_stable(
        value in json(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut body = serde_json::to_vec(&value).unwrap();
        for (index, byte) in changes {
            let index = index.index(body.len());
            body[index] = byte;
        }
        if let Some((text, _)) = repaired(&body) {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{}", text);
            // A second pass removes nothing but the placeholder's whitespace.
            prop_assert_eq!(repaired(text.as_bytes()), Some((text.replace(LOST, "[]"), Repairs::default())));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = repaired(&body);
    }
}
