//! Bad values, and values in unusual forms (FACTS.md cases 41 to 48).

use customer_gateway::{
    domain::query::{ListQuery, Shape},
    vendors::VendorError,
};

use super::harness::{AdapterCall, corporation, customers, tolt, transactions, with_raw};

fn list() -> AdapterCall {
    tolt().list(&customers())
}

fn raw_list() -> AdapterCall {
    tolt().list(&ListQuery { shape: with_raw(), ..customers() })
}

// FACTS.md case 41
#[test]
fn bad_strings_keep_their_rows() {
    raw_list().assert_fixture("value_41_strings.json");
    corporation().list(&customers()).assert_fixture("value_41_strings.json");
}

// FACTS.md case 42
#[test]
fn words_that_are_not_json_are_null() {
    raw_list().assert_fixture("value_42_words.json");
}

// FACTS.md case 43
#[test]
fn last_member_of_a_name_is_read() {
    raw_list().assert_fixture("value_43_names.json");
}

// FACTS.md case 43
#[test]
fn rows_of_a_replaced_list_are_counted() {
    list().assert_fixture("value_43_lists.json");
    list().assert_fixture("value_43_inner_lists.json");
    corporation().list(&customers()).assert_fixture("value_43_lists.json");
}

// FACTS.md case 44
#[test]
fn rows_without_id_are_skipped_and_counted() {
    list().assert_fixture("value_44_rows.json");
    corporation().list(&customers()).assert_fixture("value_44_rows.json");
}

// FACTS.md case 44
#[test]
fn only_bad_rows_and_more_is_an_error() {
    list().assert_fixture("value_44_only_bad_rows_and_more.json");
}

// FACTS.md case 45
#[test]
fn padding_is_ignored() {
    list().assert_fixture("value_45_padding.json");
}

// FACTS.md case 45
#[test]
fn other_trailing_data_is_an_error() {
    list().assert_fixture("value_45_trailing_document.json");
    list().assert_fixture("value_45_trailing_comma.json");
}

// FACTS.md case 45
#[test]
fn deep_values_are_null() {
    let deep = format!("{}{{\"a\":\"\\ud83d]\"}}{}", "[".repeat(100_000), "]".repeat(100_000));
    let row = |id, deep: &str| format!(r#"{{"id":"{id}","name":{deep},"odd":{{"a":{deep}}}}}"#);
    let body = format!(r#"{{"data":[{},{}]}}"#, row("cust_1", &deep), row("cust_2", "1"));
    let plain = list().read(200, &body.clone().into()).unwrap();
    assert_eq!((plain.len(), plain.info().anomalies.unreadable_values), (2, 1));
    let raw = raw_list().read(200, &body.into()).unwrap();
    assert_eq!((raw.len(), raw.info().anomalies.unreadable_values), (2, 2));
    for index in 0..2 {
        let record: serde_json::Value = serde_json::from_slice(raw.json(index)).unwrap();
        assert!(record["raw"]["odd"]["a"].is_array() == (index == 0), "{index}");
    }
}

// FACTS.md case 46
#[test]
fn instants_are_read_by_value() {
    corporation().list(&customers()).assert_fixture("value_46_instants.json");
}

// FACTS.md case 46
#[test]
fn amounts_are_read_by_value() {
    tolt().list(&transactions()).assert_fixture("value_46_amounts.json");
}

// FACTS.md case 46
#[test]
fn numeric_ids_keep_their_digits() {
    list().assert_fixture("value_46_ids.json");
}

// FACTS.md case 47
#[test]
fn error_bodies_are_read_field_by_field() {
    for name in [
        "value_47_code_as_number.json",
        "value_47_error_as_text.json",
        "value_47_error_as_list.json",
        "value_47_plain_text.json",
        "value_47_markup_in_json.json",
    ] {
        list().assert_fixture_with_status(400, name);
    }
    corporation().list(&customers()).assert_fixture_with_status(400, "value_47_message_beside_title.json");
}

// FACTS.md case 48
#[test]
fn merged_customer_keeps_the_requested_id() {
    let read = |id| tolt().retrieve(id, Shape::default()).read_fixture("value_48_merged.json").unwrap();
    let merged = read("cust_old");
    assert_eq!((merged.id(0), merged.alias()), ("cust_7", Some("cust_old")));
    assert!(merged.concerns("cust_old") && merged.concerns("cust_7") && !merged.concerns("cust_8"));
    assert_eq!(read("cust_7").alias(), None);
}

#[test]
fn bad_values_keep_a_single_customer() {
    for (value, name) in [
        (r#""Ann \ud83d""#, "\"Ann \u{fffd}\""),
        ("1e400", "null"),
        ("NaN", "null"),
        ("\"A\u{1}\"", r#""A\u0001""#),
        (r#""x","name":"Ann""#, r#""Ann""#),
    ] {
        for shape in [Shape::default(), with_raw()] {
            let body = format!(r#"{{"success":true,"data":{{"id":"cust_1","name":{value}}}}}"#);
            let page = tolt().retrieve("cust_1", shape.clone()).read(200, &body.into()).unwrap();
            let json = std::str::from_utf8(page.json(0)).unwrap();
            assert!(json.contains(&format!(r#""name":{name}"#)), "{json}");
            assert_eq!(page.info().anomalies.unreadable_values, 1, "{json}");
            let body = format!(r#"{{"id":"cust_1","name":{value}}}"#);
            let page = corporation().retrieve("cust_1", shape).read(200, &body.into()).unwrap();
            assert!(std::str::from_utf8(page.json(0)).unwrap().contains(&format!(r#""name":{name}"#)));
            assert_eq!(page.info().anomalies.unreadable_values, 1, "{json}");
        }
    }
}

#[test]
fn damaged_structure_is_not_repaired() {
    for body in [
        "",
        "[",
        r#"{"data":[}"#,
        r#"{"data":[]"#,
        r#"{"data" []}"#,
        "{data:[]}",
        r#"{"data":[]}}"#,
        r#"{"data":[1 2]}"#,
        r#"{"data":["]}"#,
        // An array of member values is not an object.
        r#"[true,false,1,[{"id":"a"}]]"#,
        r#"[[[{"id":"a"}]]]"#,
        r#"{"data":[[{"id":"a"}]],"customers":null}"#,
    ] {
        let read = corporation().list(&customers()).read(200, &body.as_bytes().to_vec().into());
        assert!(matches!(read, Err(VendorError::Unreadable(_))), "{body}");
        if body.contains("customers") {
            continue;
        }
        let read = list().read(200, &body.as_bytes().to_vec().into());
        assert!(matches!(read, Err(VendorError::Unreadable(_))), "{body}");
    }
}
