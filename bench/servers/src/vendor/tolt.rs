//! Customers in Tolt's API v1.

use std::fmt::Write;

use hyper::StatusCode;
use jiff::Timestamp;

use super::{
    ACCOUNT, Answer, Parameters,
    rows::{self, Rows},
};

pub(super) fn answer(path: &str, query: &Parameters, rows: &mut Rows) -> Answer {
    let found = match path.strip_prefix("/v1/customers") {
        Some("") => page(query, rows),
        Some(id) => single(id.trim_start_matches('/'), rows),
        None => None,
    };
    match found {
        Some(body) => Answer { status: StatusCode::OK, body },
        None if path == "/v1/customers" => error(StatusCode::BAD_REQUEST, "invalid_cursor", "The cursor is no row"),
        None => error(StatusCode::NOT_FOUND, "not_found", "Customer not found"),
    }
}

fn single(id: &str, rows: &mut Rows) -> Option<String> {
    let (list, number) = rows::parse(id)?;
    rows.has(list, number).then(|| format!(r#"{{"success":true,"data":{}}}"#, row(list, number)))
}

/// Returns a page, or nothing if the cursor is no row.
fn page(query: &Parameters, rows: &mut Rows) -> Option<String> {
    let get = |name: &str| query.get(name).map(String::as_str);
    let list = match get("partner_id") {
        Some(partner) => partner.trim_start_matches("part_").to_owned(),
        None => rows.default_list().to_owned(),
    };
    let (after, before) = (get("starting_after"), get("ending_before"));
    let anchor = match after.or(before) {
        Some(id) => {
            let (list, number) = rows::parse(id)?;
            if !rows.has(list, number) {
                return None;
            }
            Some(number)
        }
        None => None,
    };
    let instant = |name: &str| get(name).and_then(|text| text.parse::<Timestamp>().ok()).map(Timestamp::as_second);
    let (from, to) = (instant("created_gte"), instant("created_lte"));
    let limit: usize = get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10);
    let is_listed = |&row: &u64| {
        let at = rows::created(row).cast_signed();
        from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
    };
    let mut listed: Vec<u64> = rows.list(&list).iter().copied().filter(is_listed).collect();
    let total = listed.len();
    let descends = get("order") != Some("asc");
    if descends {
        listed.reverse();
    }
    let is_before = |row: u64, anchor: u64| if descends { row > anchor } else { row < anchor };
    let (start, end, has_more) = match anchor {
        Some(anchor) if before.is_some() => {
            let end = listed.partition_point(|&row| is_before(row, anchor));
            let start = end.saturating_sub(limit);
            (start, end, start > 0)
        }
        anchor => {
            let start =
                anchor.map_or(0, |anchor| listed.partition_point(|&row| row == anchor || is_before(row, anchor)));
            let end = listed.len().min(start + limit);
            (start, end, end < listed.len())
        }
    };
    let mut body = format!(r#"{{"success":true,"has_more":{has_more},"total_count":{total},"data":{{"data":["#);
    for (index, &number) in listed[start..end].iter().enumerate() {
        let separator = if index == 0 { "" } else { "," };
        write!(body, "{separator}{}", row(&list, number)).expect("text can be written");
    }
    body.push_str("]}}");
    Some(body)
}

fn row(list: &str, number: u64) -> String {
    let id = rows::id(list, number);
    let seconds = rows::created(number).cast_signed();
    let created = Timestamp::from_second(seconds).map(|at| format!("{at:.3}")).unwrap_or_default();
    format!(
        r#"{{"id":"{id}","email":"{list}{number}@dundermifflin.example","partner_id":"part_{list}","name":"Michael Gary Scott","customer_id":"michael_scott_{number}","created_at":"{created}","updated_at":"{created}","status":"active","program_id":"{ACCOUNT}","organization_id":"org_JE3mfYNL9ci7sFaJazAv2"}}"#
    )
}

fn error(status: StatusCode, r#type: &str, message: &str) -> Answer {
    let body = format!(r#"{{"success":false,"error":{{"message":"{message}","type":"{type}"}}}}"#);
    Answer { status, body }
}
