//! What an adapter made of an answer, as a snapshot shows it.

use customer_gateway::{
    domain::page::RecordPage,
    vendors::{Refusal, VendorError},
};

/// A page's facts and records, or the error.
pub(crate) fn described(outcome: &Result<RecordPage, VendorError>) -> String {
    let page = match outcome {
        Ok(page) => page,
        Err(error) => return format!("{error:?}"),
    };
    let info = page.info();
    let mut lines = vec![
        format!("prev: {:?}", info.prev),
        format!("next: {:?}", info.next),
        format!("total: {:?}", info.total),
        format!("foreign rows: {}", info.anomalies.foreign_rows),
        format!("unreadable values: {}", info.anomalies.unreadable_values),
        format!("records: {}", page.len()),
    ];
    for (field, count) in &info.anomalies.unknown_values {
        lines.push(format!("unknown values of {field}: {count}"));
    }
    lines.extend((0..page.len()).map(|index| indented(text(page, index))));
    lines.join("\n")
}

/// What the vendor said, where an error shows it.
pub(crate) fn refusal(error: &VendorError) -> Option<&Refusal> {
    match error {
        VendorError::CursorRefused(refusal)
        | VendorError::ValueRefused(_, refusal)
        | VendorError::Rejected(refusal)
        | VendorError::Unauthorized(refusal)
        | VendorError::RateLimited(refusal)
        | VendorError::Failed(refusal) => Some(refusal),
        VendorError::NotFound | VendorError::Unreadable(_) => None,
    }
}

/// A record as it is served.
pub(crate) fn text(page: &RecordPage, index: usize) -> &str {
    std::str::from_utf8(page.json(index)).unwrap()
}

/// JSON with a line to each member, and every name, order and digit as it
/// stands in the bytes: a parser would sort and round.
fn indented(json: &str) -> String {
    let mut out = String::new();
    let mut depth = 0;
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                depth += 1;
                out.push(c);
                break_line(&mut out, depth);
            }
            '}' | ']' => {
                depth -= 1;
                out.truncate(out.trim_end().len());
                if !out.ends_with(['{', '[']) {
                    break_line(&mut out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(c);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    out
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}
