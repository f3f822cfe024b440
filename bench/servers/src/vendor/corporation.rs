//! Customers in the corporation vendor's API. The cursors only lead forward.

use std::fmt::Write;

use hyper::StatusCode;

use super::{
    ACCOUNT, Answer, Parameters,
    rows::{self, Rows},
};

pub(super) fn answer(path: &str, query: &Parameters, rows: &mut Rows) -> Answer {
    let found = match path.strip_prefix("/customers") {
        Some("") => page(query, rows),
        Some(id) => single(id.trim_start_matches('/'), rows),
        None => None,
    };
    match found {
        Some(body) => Answer { status: StatusCode::OK, body },
        None => {
            let body = r#"{"statusCode":404,"message":"Customer not found"}"#.to_owned();
            Answer { status: StatusCode::NOT_FOUND, body }
        }
    }
}

fn single(id: &str, rows: &mut Rows) -> Option<String> {
    let (list, number) = rows::parse(id)?;
    rows.has(list, number).then(|| row(list, number))
}

/// Returns a page of the default list, oldest first.
fn page(query: &Parameters, rows: &mut Rows) -> Option<String> {
    let limit: usize = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10);
    let start: u64 = match query.get("cursor") {
        Some(cursor) => cursor.strip_prefix("after-")?.parse::<u64>().ok()? + 1,
        None => 0,
    };
    let list = rows.default_list().to_owned();
    let numbers = rows.list(&list);
    let total = numbers.len();
    let mut following = numbers.range(start..).copied();
    let page: Vec<u64> = following.by_ref().take(limit).collect();
    let cursor = match (following.next(), page.last()) {
        (Some(_), Some(last)) => format!(r#""after-{last}""#),
        _ => "null".to_owned(),
    };
    let mut body = String::from(r#"{"customers":["#);
    for (index, &number) in page.iter().enumerate() {
        let separator = if index == 0 { "" } else { "," };
        write!(body, "{separator}{}", row(&list, number)).expect("text can be written");
    }
    write!(body, r#"],"total_customers":{total},"cursor":{cursor}}}"#).expect("text can be written");
    Some(body)
}

fn row(list: &str, number: u64) -> String {
    format!(
        r#"{{"id":"{}","name":"Acme {number}","email":"{list}{number}@acme.example","corporation_id":"{ACCOUNT}","created_at":{}}}"#,
        rows::id(list, number),
        rows::created(number)
    )
}
