//! What a request prefers (RFC 7240).

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that a request says it in.
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The header that an answer says in what was done of it.
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// That what cannot honour the question is left out (RFC 7240, section 4.4).
pub(crate) const LENIENT: HeaderValue = HeaderValue::from_static("handling=lenient");

/// Whether a request would rather have less than be refused.
pub(crate) fn is_lenient(request: &HeaderMap) -> bool {
    let preferences = request.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let handling = preferences.flat_map(|value| value.split(',')).find_map(|preference| {
        // A preference may have parameters; this one has none that is known.
        let (name, value) = preference.split(';').next().unwrap_or_default().split_once('=')?;
        name.trim().eq_ignore_ascii_case("handling").then(|| value.trim().trim_matches('"'))
    });
    handling.is_some_and(|handling| handling.eq_ignore_ascii_case("lenient"))
}
