//! Text form of an adapter's result, for snapshots.

use customer_gateway::{
    domain::page::RecordPage,
    vendors::{Refusal, VendorError},
};

/// Describes a page's facts and records, or the error.
pub(crate) fn describe(outcome: &Result<RecordPage, VendorError>) -> String {
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
    let anomalies = &info.anomalies;
    if anomalies.null_rows > 0 || anomalies.unreadable_rows > 0 {
        lines.push(format!("null rows: {}, unreadable rows: {}", anomalies.null_rows, anomalies.unreadable_rows));
    }
    for (field, count) in &info.anomalies.unknown_values {
        lines.push(format!("unknown values of {field}: {count}"));
    }
    lines.extend((0..page.len()).map(|index| indent(text(page, index))));
    lines.join("\n")
}

/// The vendor's refusal, if the error contains one.
pub(crate) fn refusal(error: &VendorError) -> Option<&Refusal> {
    match error {
        VendorError::Refused { refusal, .. } => Some(refusal),
        VendorError::NotFound | VendorError::Unreadable(_) => None,
    }
}

/// JSON of a record, as served to callers.
pub(crate) fn text(page: &RecordPage, index: usize) -> &str {
    std::str::from_utf8(page.json(index)).unwrap()
}

/// Formats JSON with one member per line. Works on the text, because a parser
/// would reorder names and round numbers.
fn indent(json: &str) -> String {
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
