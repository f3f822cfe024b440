//! Meaning of vendors' error codes and messages.

/// Codes by meaning. A code matches if it contains the text, without case and
/// punctuation.
const CODES: &[(Meaning, &[&str])] = &[
    (
        Meaning::RateLimited,
        &["ratelimit", "toomanyrequests", "throttl", "requestlimitexceeded", "quotaexceeded", "slowdown"],
    ),
    (
        Meaning::Unauthorized,
        &[
            "authenticationerror",
            "authenticationfailed",
            "authorizationerror",
            "unauthorized",
            "unauthenticated",
            "invalidapikey",
            "invalidtoken",
            "expiredtoken",
            "tokenexpired",
            "invalidcredential",
            "permissionerror",
            "permissiondenied",
            "forbidden",
            "accessdenied",
        ],
    ),
    (Meaning::NotFound, &["notfound", "resourcemissing", "nosuch"]),
    (
        Meaning::Failed,
        &["apierror", "internal", "servererror", "unavailable", "timeout", "timedout", "badgateway", "overloaded"],
    ),
    (
        Meaning::Invalid,
        &["invalid", "validation", "badrequest", "unprocessable", "missingparameter", "cursorexpired", "expiredcursor"],
    ),
];
/// Phrases of messages without a known code.
const PHRASES: &[(Meaning, &[&str])] = &[
    (Meaning::RateLimited, &["rate limit", "rate-limit", "ratelimit", "too many requests", "request limit exceeded"]),
    (
        Meaning::Unauthorized,
        &["unauthorized", "unauthenticated", "invalid api key", "invalid token", "authentication failed"],
    ),
    (Meaning::NotFound, &["customer not found", "no such customer", "customer does not exist"]),
];
/// The meaning of an error code, independent of the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The rate limit is exceeded.
    RateLimited,
    /// The credential is not accepted.
    Unauthorized,
    /// The object does not exist.
    NotFound,
    /// The request or one of its values is not accepted.
    Invalid,
    /// The vendor failed.
    Failed,
}

impl Meaning {
    /// Returns the meaning of a code. The message decides if the code is unknown
    /// or says only that the request is invalid.
    pub(super) fn of(code: &str, message: &str) -> Option<Self> {
        let code: String = code.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let by_code = find(CODES, &code);
        by_code
            .filter(|meaning| *meaning != Self::Invalid)
            .or_else(|| find(PHRASES, &message.to_lowercase()))
            .or(by_code)
    }
}

fn find(table: &[(Meaning, &[&str])], text: &str) -> Option<Meaning> {
    let matches = |(_, parts): &&(Meaning, &[&str])| parts.iter().any(|part| text.contains(part));
    table.iter().find(matches).map(|(meaning, _)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_meanings() {
        for (code, meaning) in [
            ("rate_limit_error", Some(Meaning::RateLimited)),
            ("CLIENT_TOO_MANY_REQUESTS", Some(Meaning::RateLimited)),
            ("ThrottlingException", Some(Meaning::RateLimited)),
            ("authentication_error", Some(Meaning::Unauthorized)),
            ("CLIENT_FORBIDDEN", Some(Meaning::Unauthorized)),
            ("invalid_api_key", Some(Meaning::Unauthorized)),
            ("not_found", Some(Meaning::NotFound)),
            ("api_error", Some(Meaning::Failed)),
            ("SERVER_ERROR", Some(Meaning::Failed)),
            ("invalid_cursor", Some(Meaning::Invalid)),
            ("CLIENT_INVALID_REQUEST_BODY", Some(Meaning::Invalid)),
            ("4001", None),
            ("", None),
        ] {
            assert_eq!(Meaning::of(code, "No"), meaning, "{code}");
        }
        assert_eq!(Meaning::of("", "API rate limit exceeded for 1.2.3.4"), Some(Meaning::RateLimited));
        assert_eq!(Meaning::of("bad_request", "Too many requests"), Some(Meaning::RateLimited));
    }
}
