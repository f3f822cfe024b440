//! Values of prefilters: texts for a vendor's partial match, which must find at
//! least the rows that the gateway's filter finds.

use crate::domain::{filter::Filter, fold::fold, parameter::Parameter, residual::reads_email_only};

/// Minimum length of a value, in characters. A vendor may reject shorter texts.
const MIN_LENGTH: usize = 3;
/// Maximum length of a caller's text, in characters: the longest email address
/// (RFC 5321, section 4.5.3.1.3, without the angle brackets).
const MAX_LENGTH: usize = 254;

/// Returns the value that narrows the vendor's rows by email address, or `None`
/// if the vendor might leave out rows that match.
///
/// Only ASCII text is sent, because a vendor may fold the case of other text
/// differently. A vendor may also read other signs as a pattern: a plus sign in
/// a regular expression, a backslash in SQL. Therefore the value is the longest
/// part of the text without such signs. A part of a match is still a match.
pub(super) fn email_part(parameter: Parameter, filter: &Filter) -> Option<String> {
    let text = match parameter {
        Parameter::Email => filter.email.as_deref()?,
        Parameter::Search => filter.search.as_deref().filter(|text| reads_email_only(text))?,
        _ => return None,
    };
    if !text.is_ascii() || text.len() > MAX_LENGTH {
        return None;
    }
    let parts = text.split(|sign: char| !sign.is_ascii_alphanumeric() && !matches!(sign, '@' | '.' | '-' | '_'));
    let longest = parts.max_by_key(|part| part.len()).filter(|part| part.len() >= MIN_LENGTH)?;
    Some(fold(longest).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_email(text: &str) -> Option<String> {
        email_part(Parameter::Email, &Filter { email: Some(text.to_owned()), ..Filter::default() })
    }

    #[test]
    fn address_is_sent_in_lower_case() {
        assert_eq!(by_email("Jim.Halpert@Example.COM").as_deref(), Some("jim.halpert@example.com"));
    }

    #[test]
    fn signs_of_patterns_are_not_sent() {
        for (text, part) in [
            ("jim+1@example.com", "1@example.com"),
            ("o'brien@ex.ie", "brien@ex.ie"),
            ("jim%@a.b", "@a.b"),
            ("a\\b\\c@example.com", "c@example.com"),
            ("(jim)@example.com", "@example.com"),
            (" jim@example.com ", "jim@example.com"),
        ] {
            assert_eq!(by_email(text).as_deref(), Some(part), "{text}");
        }
    }

    #[test]
    fn uncertain_text_is_not_sent() {
        let long = format!("{}@example.com", "x".repeat(250));
        for text in ["josé@example.com", "straße@example.com", "ＪＩＭ@example.com", "a@", "%%%", &long] {
            assert_eq!(by_email(text), None, "{text}");
        }
    }

    #[test]
    fn only_search_for_addresses_is_sent() {
        let by_search =
            |text: &str| email_part(Parameter::Search, &Filter { search: Some(text.to_owned()), ..Filter::default() });
        assert_eq!(by_search("@Acme").as_deref(), Some("@acme"));
        assert_eq!((by_search("acme.com"), by_search("a@"), by_search("@é")), (None, None, None));
    }
}
