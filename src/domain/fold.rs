//! Comparison of text by Unicode: case-insensitive, and by canonical
//! equivalence.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// Returns the text for case-insensitive comparison.
///
/// The text is case-folded in full, without a locale, and in form NFKC (Unicode
/// 3.13, definition D146, recomposed). Folding folded text changes nothing.
///
/// ```
/// use customer_gateway::domain::fold::fold;
/// assert_eq!(fold("STRASSE"), fold("straße"));
/// assert_eq!(fold("ＣＡＦＥ\u{301}"), fold("café"));
/// ```
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let has_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        return if has_upper { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) };
    }
    let mapper = CaseMapper::new();
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    let folded = mapper.fold_string(&decomposed);
    let compatible = DecomposingNormalizerBorrowed::new_nfkd().normalize(&folded);
    let folded = mapper.fold_string(&compatible);
    Cow::Owned(ComposingNormalizerBorrowed::new_nfkc().normalize(&folded).into_owned())
}

/// Appends the folded text.
pub(super) fn fold_into(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        out[start..].make_ascii_lowercase();
    } else {
        out.push_str(&fold(text));
    }
}

/// Returns true if two texts have the same characters, however their accents
/// are encoded. The comparison is case-sensitive.
#[must_use]
pub fn is_same(a: &str, b: &str) -> bool {
    if a == b || (a.is_ascii() && b.is_ascii()) {
        return a == b;
    }
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    nfc.normalize(a) == nfc.normalize(b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equivalent_texts_fold_alike() {
        for (a, b) in [
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("ΟΔΥΣ", "οδυς"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("ﬁnance", "FINANCE"),
            ("ﬅ", "st"),
            ("José", "JOSE\u{301}"),
            ("Ａｎｎ", "ANN"),
            ("Ⅷ", "viii"),
            ("Ǆ", "ǆ"),
            ("ᾳ", "ΑΙ"),
            ("İ", "i\u{307}"),
            ("ſ", "S"),
            ("K", "k"),
            ("Å", "å"),
            ("q\u{323}\u{307}", "Q\u{307}\u{323}"),
            ("a\u{a0}b", "A B"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
    }

    #[test]
    fn different_texts_stay_different() {
        for (a, b) in [("ı", "i"), ("é", "e"), ("ο", "o"), ("ö", "oe")] {
            assert_ne!(fold(a), fold(b), "{a} {b}");
        }
    }

    #[test]
    fn part_of_a_word_is_found() {
        for (text, part) in [("ΟΔΥΣΣΕΥΣ ΑΕ", "οδυς"), ("Große Straße", "STRASSE"), ("Oﬃce", "FIC")] {
            assert!(fold(text).contains(&*fold(part)), "{text} {part}");
        }
    }

    #[test]
    fn same_text_differs_only_in_encoding() {
        assert!(is_same("José", "Jose\u{301}") && is_same("Ann", "Ann"));
        assert!(!is_same("José", "JOSÉ") && !is_same("Ann", "ann") && !is_same("Ａnn", "Ann"));
    }

    proptest! {
        #[test]
        fn appended_text_is_folded(text in "\\PC{0,20}|[ -~]{0,20}") {
            let mut out = "É".to_owned();
            fold_into(&text, &mut out);
            prop_assert_eq!(out, format!("É{}", fold(&text)));
        }

        #[test]
        fn folded_text_is_stable(text in "\\PC{0,20}") {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded.clone());
        }

        #[test]
        fn ascii_path_agrees_with_unicode(text in "[ -~]{0,20}") {
            let unicode = format!("{text}é");
            prop_assert_eq!(format!("{}é", fold(&text)), fold(&unicode));
        }
    }
}
