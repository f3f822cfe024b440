//! Preferences of requests (RFC 7240).

use http::{HeaderMap, HeaderName, HeaderValue};

/// Request header with preferences.
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Response header with the applied preferences.
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// Preference to skip connections that do not support the request (RFC 7240,
/// section 4.4).
pub(crate) const LENIENT: HeaderValue = HeaderValue::from_static("handling=lenient");

/// Returns whether the request prefers `handling=lenient`.
pub(crate) fn is_lenient(request: &HeaderMap) -> bool {
    let preferences = request.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let handling = preferences.flat_map(|value| value.split(',')).find_map(|preference| {
        // A preference may have parameters. `handling` defines none.
        let (name, value) = preference.split(';').next().unwrap_or_default().split_once('=')?;
        name.trim().eq_ignore_ascii_case("handling").then(|| value.trim().trim_matches('"'))
    });
    handling.is_some_and(|handling| handling.eq_ignore_ascii_case("lenient"))
}
