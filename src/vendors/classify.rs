//! Classification of responses without records, by meaning.
//!
//! The body decides before the status does: vendors, proxies and protection
//! services use statuses differently. A wrong "not found" or an expired cursor
//! would be wrong data, so both require a response of the vendor's API.

use crate::domain::anchor::Anchor;

use super::{
    Call, Meaning, Refusal, RefusalKind, VendorError, VendorRefusal,
    error_body::{is_challenge, is_markup},
};

/// Failures that an immediate retry may resolve.
const RETRYABLE: &[u16] = &[408, 421, 425, 500, 502, 503, 504];
/// Statuses of the client that concern neither the query nor the credential: a
/// proxy, or the connection to the vendor.
const TRANSPORT: &[u16] = &[407, 408, 421, 424, 425, 499];
/// Statuses of a rate limit. 420 is an older form.
const RATE_LIMITS: &[u16] = &[420, 429];
/// Statuses that reject the size of a request. They are permanent, even if a
/// proxy sends them.
const TOO_LARGE: &[u16] = &[413, 414, 431];
/// Statuses that may concern a value of the query.
const VALUE: &[u16] = &[400, 404, 410, 422];

/// Classifies a response without records.
pub(super) fn classify(call: &Call, body: &[u8], answer: VendorRefusal) -> VendorError {
    let VendorRefusal { meaning, body_status, refusal } = answer;
    let verdict = if is_markup(body) {
        of_page(refusal.status, body)
    } else {
        of_answer(refusal.status, meaning, body_status, body, &refusal)
    };
    let kind = match verdict {
        Verdict::Kind(kind) => kind,
        Verdict::NotFound if matches!(call, Call::Retrieve(_)) && !names_another_level(&refusal) => {
            return VendorError::NotFound;
        }
        Verdict::NotFound | Verdict::Invalid => rejection(call, &refusal),
    };
    VendorError::Refused { kind, refusal }
}

/// Result of a classification that does not know the call.
enum Verdict {
    Kind(RefusalKind),
    NotFound,
    Invalid,
}

/// Classifies an HTML or XML page. No vendor API sends one, so the page comes
/// from a proxy or a protection service.
fn of_page(status: u16, body: &[u8]) -> Verdict {
    Verdict::Kind(match status {
        status if RATE_LIMITS.contains(&status) => RefusalKind::RateLimited,
        401 if !is_challenge(body) => RefusalKind::Unauthorized,
        status if TOO_LARGE.contains(&status) => RefusalKind::RequestRejected,
        status => failed(status),
    })
}

fn of_answer(
    status: u16,
    meaning: Option<Meaning>,
    body_status: Option<u16>,
    body: &[u8],
    refusal: &Refusal,
) -> Verdict {
    match status {
        _ if meaning == Some(Meaning::RateLimited) => Verdict::Kind(RefusalKind::RateLimited),
        status if RATE_LIMITS.contains(&status) => Verdict::Kind(RefusalKind::RateLimited),
        200..=299 => of_success(meaning, body_status, refusal),
        401 => Verdict::Kind(RefusalKind::Unauthorized),
        status if !(400..=499).contains(&status) || TRANSPORT.contains(&status) => Verdict::Kind(failed(status)),
        403 | 405 | 406 if is_challenge(body) => Verdict::Kind(failed(status)),
        403 if meaning != Some(Meaning::Failed) => Verdict::Kind(RefusalKind::Unauthorized),
        status => match meaning {
            Some(Meaning::Unauthorized) => Verdict::Kind(RefusalKind::Unauthorized),
            Some(Meaning::Failed) => Verdict::Kind(failed(status)),
            Some(Meaning::NotFound) if VALUE.contains(&status) => Verdict::NotFound,
            _ if matches!(status, 404 | 410) && is_foreign_text(body) => Verdict::Kind(failed(status)),
            _ if matches!(status, 404 | 410) => Verdict::NotFound,
            _ if VALUE.contains(&status) => Verdict::Invalid,
            _ => Verdict::Kind(RefusalKind::RequestRejected),
        },
    }
}

/// Classifies a refusal with a status of success.
fn of_success(meaning: Option<Meaning>, body_status: Option<u16>, refusal: &Refusal) -> Verdict {
    // A generic code says less than a status in the body.
    let stated = || body_status.filter(|status| (400..=599).contains(status));
    match meaning {
        Some(Meaning::RateLimited) => Verdict::Kind(RefusalKind::RateLimited),
        Some(Meaning::Unauthorized) => Verdict::Kind(RefusalKind::Unauthorized),
        Some(Meaning::NotFound) => Verdict::NotFound,
        Some(Meaning::Failed) => Verdict::Kind(RefusalKind::Failed { retryable: true }),
        Some(Meaning::Invalid) if stated().is_none() => Verdict::Invalid,
        _ => match stated() {
            Some(status) => of_answer(status, None, None, b"", refusal),
            None => Verdict::Kind(RefusalKind::Failed { retryable: false }),
        },
    }
}

fn failed(status: u16) -> RefusalKind {
    RefusalKind::Failed { retryable: RETRYABLE.contains(&status) }
}

/// Returns the cause of a rejection.
///
/// On a later page, the cause is the cursor: the vendor accepted the same
/// filter on the page before. On a first page, the cause is the value of a
/// parameter if the message names one.
fn rejection(call: &Call, refusal: &Refusal) -> RefusalKind {
    let Call::List(plan, anchor) = call else { return RefusalKind::RequestRejected };
    if names_another_level(refusal) {
        return RefusalKind::RequestRejected;
    }
    if matches!(anchor, Anchor::After(_) | Anchor::Before(_) | Anchor::Token(_)) {
        return RefusalKind::CursorRejected;
    }
    let message = refusal.message.as_deref().unwrap_or_default();
    match plan.native.iter().find(|native| contains_word(message, native.name)) {
        Some(native) => RefusalKind::ValueRejected(native.parameter),
        None => RefusalKind::RequestRejected,
    }
}

/// Returns true if the message says that a route or the account is missing. Its
/// records may exist.
fn names_another_level(refusal: &Refusal) -> bool {
    const NAMES: &[&str] = &[
        "route",
        "routes",
        "endpoint",
        "path",
        "url",
        "page",
        "resource path",
        "program",
        "organization",
        "organisation",
        "corporation",
        "workspace",
        "tenant",
        "application",
        "backend",
        "host",
        "service",
    ];
    let message = refusal.message.as_deref().unwrap_or_default().to_lowercase();
    let code = refusal.code.as_deref().unwrap_or_default().to_lowercase();
    let is_missing = |name: &&str| {
        [
            format!("{name} not found"),
            format!("{name} was not found"),
            format!("no {name} "),
            format!("{name} does not exist"),
        ]
        .iter()
        .any(|phrase| message.starts_with(phrase.as_str()) || message.contains(&format!(" {phrase}")))
            || code == format!("{name}_not_found")
    };
    message.starts_with("cannot get ") || NAMES.iter().any(is_missing)
}

/// Returns true for text that is neither JSON nor about a record, such as `404
/// page not found`. Vendors document JSON errors.
fn is_foreign_text(body: &[u8]) -> bool {
    const RECORDS: &[&str] = &["customer", "record", "object", "transaction", "partner"];
    let text = String::from_utf8_lossy(&body[..body.len().min(1 << 10)]).to_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim();
    !text.is_empty() && !text.starts_with(['{', '[', '"']) && !RECORDS.iter().any(|record| text.contains(record))
}

/// Returns true if a message contains a parameter's name as a whole word.
fn contains_word(message: &str, name: &str) -> bool {
    message.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_name_matches_whole_words_only() {
        assert!(contains_word("Invalid value for `status`.", "status"));
        assert!(!contains_word("exemption_status is invalid", "status"));
    }

    #[test]
    fn missing_route_is_not_a_missing_record() {
        let names =
            |message: &str| names_another_level(&Refusal { message: Some(message.to_owned()), ..Refusal::default() });
        for message in [
            "no Route matched with those values",
            "Cannot GET /v1/customers/1",
            "404 page not found",
            "Program not found",
        ] {
            assert!(names(message), "{message}");
        }
        for message in ["Customer not found", "Transaction not found", "Not found", "No such customer", ""] {
            assert!(!names(message), "{message}");
        }
    }
}
