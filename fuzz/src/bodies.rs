//! Arbitrary vendor bodies, compared with the independent reader.

use bytes::Bytes;
use http::{HeaderMap, Response};

use crate::{
    json::{self, Json},
    rows::{Id, Layout, Rows},
    stage::Stage,
    vendor::{Vendor, parameter},
    walk,
};

/// Prefix of every id.
const CONNECTION: &str = "odd";
/// Names that may say that a response is a failure.
const STATEMENTS: &[&str] = &["error", "errors", "success", "ok", "status", "code"];

/// A gateway in front of one vendor that answers with arbitrary bodies.
pub struct Bodies {
    layout: Layout,
    stage: Stage,
    vendor: Vendor,
}

impl Bodies {
    pub fn new(layout: Layout) -> Self {
        let vendor = Vendor::default();
        let stage = Stage::start(&[(layout.vendor, CONNECTION, layout.account, vendor.clone())]);
        Self { layout, stage, vendor }
    }

    /// Reads a body as each kind of response.
    pub fn check(&self, body: &[u8]) {
        self.stage.begin();
        let (body, end) = (Bytes::copy_from_slice(body), end(self.layout));
        self.vendor.answer_with({
            let body = body.clone();
            move |request| {
                let is_first = ["starting_after", "cursor"].iter().all(|name| parameter(request, name).is_none());
                Response::new(if is_first { body.clone() } else { end.clone() })
            }
        });
        let document = json::read(&body);
        let rows = document.as_ref().and_then(|document| self.layout.rows(document));
        let is_plain = document.as_ref().is_some_and(|document| is_plain(document, rows.as_ref()));
        for target in ["/customers?limit=100", "/customers?limit=1", "/customers?limit=100&include=raw"] {
            self.check_walk(target, rows.as_ref(), is_plain);
        }
        self.check_export(rows.as_ref());
        self.check_content(rows.as_ref());
        self.check_single(document.as_ref());
        if self.layout.vendor == "tolt" {
            self.check_walk("/transactions?limit=3&expand=customer", rows.as_ref(), is_plain);
        }
    }

    fn check_walk(&self, target: &str, rows: Option<&Rows>, is_plain: bool) {
        let Some(rows) = rows else {
            let walk = walk::forward(&self.stage, target);
            assert!(walk.is_err(), "{target}: a page without a list was served: {walk:?}");
            return;
        };
        match walk::forward(&self.stage, target) {
            Ok(walk) => {
                assert_ids(target, &walk.ids(), &rows.served);
                let (reported, expected) = (walk.unreadable, rows.unreadable as u64);
                assert!(reported >= expected, "{target}: {reported} of {expected} unreadable rows are reported");
                let hides_a_list = rows.shadowed > 0 && reported == expected && !walk.is_short;
                assert!(!hides_a_list, "{target}: {} rows are dropped silently", rows.shadowed);
                if !rows.repeats_a_name {
                    assert_eq!(reported, expected, "{target}: unreadable rows");
                }
            }
            Err(answer) => assert!(!is_plain, "{target}: a list is rejected: {}", answer.text),
        }
    }

    fn check_export(&self, rows: Option<&Rows>) {
        let export = walk::export(&self.stage, "/customers");
        match (export, rows) {
            (Err(_), _) => {}
            (Ok(export), None) => assert_eq!(export.end["status"], "incomplete", "{}", export.end),
            (Ok(export), Some(rows)) if export.end["status"] == "complete" => {
                assert_ids("export", &export.ids, &rows.served);
            }
            (Ok(_), Some(_)) => {}
        }
    }

    /// Compares the vendor's own objects and the names with the response.
    fn check_content(&self, rows: Option<&Rows>) {
        let answer = self.stage.get("/customers?limit=100&include=raw", &HeaderMap::new());
        let Some(rows) = rows.filter(|_| answer.status == 200) else { return };
        let page = json::read(answer.text.as_bytes()).expect("the response is JSON");
        let served = page.get("data").and_then(Json::list).expect("a list of rows");
        for (served, object) in served.iter().zip(&rows.objects) {
            assert_eq!(served.get("raw"), Some(&object.repaired()), "the vendor's own object");
            let expected = match object.get("name") {
                Some(Json::Text(name)) if !name.is_empty() => Json::Text(name.clone()),
                Some(Json::Number(_)) => continue,
                _ => Json::Null,
            };
            assert_eq!(served.get("name"), Some(&expected), "the name");
        }
    }

    fn check_single(&self, document: Option<&Json>) {
        let expected = document.and_then(|document| self.layout.single(document));
        let answer = self.stage.get("/customers/odd.cust_1?include=raw", &HeaderMap::new());
        let is_clear = expected.is_some() && document.is_some_and(|document| states_no_failure(document));
        if answer.status != 200 {
            assert!(!is_clear, "a customer is rejected: {}", answer.text);
        } else {
            let id = answer.json()["id"].as_str().expect("an id").to_owned();
            let expected = expected.unwrap_or_else(|| panic!("a row without an id is served: {}", answer.text));
            assert_ids("single", &[id], &[expected]);
        }
    }
}

/// Returns the empty page after the page of an input.
fn end(layout: Layout) -> Bytes {
    Bytes::from_static(match layout.vendor {
        "tolt" => br#"{"success":true,"has_more":false,"data":{"data":[]}}"#,
        _ => br#"{"data":{"customers":[]}}"#,
    })
}

/// Returns true for a document that the gateway must serve: it has rows, and
/// nothing in it may say that the request failed.
fn is_plain(document: &Json, rows: Option<&Rows>) -> bool {
    let has_clear_cursor =
        |document: &Json| document.all("cursor").all(|cursor| matches!(cursor, Json::Null | Json::Text(_)));
    let data = document.get("data");
    let has_two_cursors = document.get("cursor").is_some() && data.is_some_and(|data| data.get("cursor").is_some());
    rows.is_some_and(|rows| !rows.served.is_empty() && rows.fit_into_a_list())
        && states_no_failure(document)
        && has_clear_cursor(document)
        && data.is_none_or(has_clear_cursor)
        && !has_two_cursors
}

/// Returns true for an envelope without repeated names in which nothing may say
/// that the request failed.
fn states_no_failure(document: &Json) -> bool {
    let states_none = |envelope: &Json, statements: &[&str]| {
        let Json::Object(members) = envelope else { return true };
        let may_state = |name: &str| statements.iter().any(|statement| name.to_lowercase().contains(statement));
        !members.iter().any(|(name, _)| may_state(name))
    };
    matches!(document, Json::Object(_))
        && !document.repeats_a_name()
        && states_none(document, STATEMENTS)
        && document.get("data").is_none_or(|data| states_none(data, &["error"]))
}

fn assert_ids(target: &str, served: &[String], expected: &[Id]) {
    let is_equal = |(served, expected): (&String, &Id)| match expected {
        Id::Exact(id) => served.strip_prefix("odd.") == Some(id),
        Id::Number => true,
    };
    let agrees = served.len() == expected.len() && served.iter().zip(expected).all(is_equal);
    assert!(agrees, "{target}: served {served:?}, but the vendor sent {expected:?}");
}
