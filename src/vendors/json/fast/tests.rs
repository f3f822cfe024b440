//! Comparison of the reader with `serde_json`.

use proptest::{collection::vec, prelude::*, sample::select};
use serde::de::IgnoredAny;

use super::*;
use crate::{
    domain::timestamp::Timestamp,
    vendors::wire::{Field, Nested, Text, TextList},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Row<'a> {
    id: Text<'a>,
    amount: Field<i64>,
    at: Field<Timestamp>,
    flag: Field<bool>,
    tags: TextList<'a>,
    nested: Nested<Box<Row<'a>>>,
    optional: Option<Nested<Box<Row<'a>>>>,
}

/// A JSON text that is valid, or invalid in one place.
fn json() -> impl Strategy<Value = String> {
    let value = scalar().prop_recursive(4, 24, 4, |inner| {
        let member = (prop_oneof![name(), name(), text()], inner.clone(), space());
        prop_oneof![
            (vec(inner, 0..4), space())
                .prop_map(|(values, space)| format!("[{space}{}]", values.join(&format!("{space},")))),
            vec(member, 0..6).prop_map(|members| {
                let members = members.iter().map(|(name, value, space)| format!("{name}{space}:{space}{value}{space}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    });
    (value, space(), prop::option::weighted(0.3, (any::<prop::sample::Index>(), fault()))).prop_map(
        |(value, space, fault)| {
            let mut json = format!("{space}{value}{space}");
            if let Some((index, (is_removed, fault))) = fault {
                let at = json.char_indices().nth(index.index(json.chars().count())).unwrap().0;
                if is_removed {
                    json.remove(at);
                }
                json.insert_str(at, fault);
            }
            json
        },
    )
}

fn name() -> BoxedStrategy<String> {
    let names = ["id", "amount", "at", "flag", "tags", "nested", "optional", "other", "\\u0069d"];
    select(names.to_vec()).prop_map(|name| format!("\"{name}\"")).boxed()
}

fn scalar() -> BoxedStrategy<String> {
    let odd = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "01",
        "-",
        "1.",
        ".5",
        "1.50",
        "1e2",
        "1E+2",
        "1e",
        "1e400",
        "-1.0e-2",
        "9007199254740993",
        "18446744073709551616",
        "\"\"",
        "\"2024-05-01T10:00:00Z\"",
        "\"12.0\"",
        "\"\\ud800\"",
        "\"\\ud83d\\ude00\"",
        "\"\\x\"",
        "\"\u{1}\"",
        "nul",
        "tru",
        "falsee",
        "\"$lost\"",
    ];
    prop_oneof![4 => text(), 3 => select(odd.to_vec()).prop_map(str::to_owned), 1 => any::<i64>().prop_map(|n| n.to_string())]
        .boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof!["[a-z0-9 @.]{0,30}", "\\PC{0,12}"].prop_map(|text| serde_json::to_string(&text).unwrap()).boxed()
}

fn space() -> BoxedStrategy<String> {
    prop_oneof![6 => Just(String::new()), 1 => "[ \n\r\t]{1,3}", 1 => Just("\u{b}".to_owned())].boxed()
}

fn fault() -> impl Strategy<Value = (bool, &'static str)> {
    (any::<bool>(), select(["", "\"", "\\", ",", ":", "{", "}", "[", "]", "0", "e", "\u{0}", "é"].to_vec()))
}

fn check<'a, T: Deserialize<'a> + fmt::Debug>(json: &'a str) -> Result<(), TestCaseError> {
    if let Some(fast) = read_fast::<T>(json) {
        let value: Result<T, _> = serde_json::from_str(json);
        prop_assert!(value.is_ok(), "only the reader accepts {json}: {value:?}");
        prop_assert_eq!(format!("{fast:?}"), format!("{:?}", value.unwrap()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn reader_agrees_with_serde_json(json in json()) {
        check::<Nested<Row<'_>>>(&json)?;
        check::<Vec<Nested<Row<'_>>>>(&json)?;
        check::<IgnoredAny>(&json)?;
    }
}

#[test]
fn usual_row_is_supported() {
    let json = r#" {"id": "cust_1", "amount": 12.0, "at": 1714557600, "flag": true, "tags": ["a", 1.50, null], "unknown": [{"a": -1.5e3}, "\n"],
        "nested": {"id": "\u00e9\"", "amount": "7", "at": "2024-05-01T10:00:00.000Z", "nested": null}} "#;
    let [row, expected] = [read_fast(json), serde_json::from_str(json).ok()]
        .map(|row: Option<Nested<Row<'_>>>| row.expect("the row is supported").into_field());
    assert_eq!(format!("{row:?}"), format!("{expected:?}"));
    let Field::Value(row) = row else { panic!("{row:?}") };
    assert_eq!(row.amount, Field::Value(12));
}

#[test]
fn deep_nesting_is_not_supported() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read_fast::<IgnoredAny>(&nested(MAX_DEPTH)).is_some());
    assert!(read_fast::<IgnoredAny>(&nested(MAX_DEPTH + 1)).is_none());
    assert!(read_fast::<IgnoredAny>(&"[".repeat(100_000)).is_none());
}
