//! Templates: JSON in which a code replaces the text of each column.
//!
//! A row's JSON repeats values that the segment has in columns. JSON has no
//! control characters (RFC 8259, section 7), so a code is one such byte.

use memchr::memmem;

/// Number of texts that have a code.
pub(super) const TEXTS: usize = 7;

/// Texts of a row, in the order of their codes from 1.
pub(super) type Texts<'a> = [Option<&'a str>; TEXTS];

/// First byte of a row that is not a template, because it has a code in its text.
const VERBATIM: u8 = 0;

/// Texts that are shorter are not replaced.
const MIN_LENGTH: usize = 3;

/// Maximum length of a row's JSON. Vendor responses are limited to less.
pub(super) const MAX_JSON: usize = 16 << 20;

/// Replaces the texts in a row's JSON, which is the content of `row`.
pub(super) fn pack(row: &mut Vec<u8>, texts: &Texts<'_>) {
    if row.iter().any(|byte| usize::from(*byte) <= TEXTS) {
        row.insert(0, VERBATIM);
        return;
    }
    for (code, text) in (1..).zip(texts) {
        let Some(text) = text.filter(|text| text.len() >= MIN_LENGTH) else { continue };
        let mut target = 0;
        let mut source = 0;
        while let Some(found) = memmem::find(&row[source..], text.as_bytes()) {
            row.copy_within(source..source + found, target);
            target += found;
            row[target] = code;
            target += 1;
            source += found + text.len();
        }
        let length = row.len();
        row.copy_within(source..length, target);
        row.truncate(target + length - source);
    }
}

/// Appends the JSON of a template. Returns `None` if a text of the template is
/// null, or if the JSON is too long.
pub(super) fn unpack(template: &[u8], texts: &Texts<'_>, json: &mut Vec<u8>) -> Option<()> {
    let limit = json.len() + MAX_JSON;
    if let Some((&VERBATIM, text)) = template.split_first() {
        json.extend_from_slice(text);
        return (json.len() <= limit).then_some(());
    }
    let mut rest = template;
    while let Some(index) = rest.iter().position(|byte| usize::from(*byte) <= TEXTS) {
        let text = (*texts.get(usize::from(rest[index]).checked_sub(1)?)?)?;
        json.extend_from_slice(&rest[..index]);
        json.extend_from_slice(text.as_bytes());
        rest = &rest[index + 1..];
        if json.len() > limit {
            return None;
        }
    }
    json.extend_from_slice(rest);
    (json.len() <= limit).then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn template_expands_to_its_row(parts in vec("[\\x00-\\x09a-c]{0,6}", 0..8), texts in vec("[a-c]{0,4}", TEXTS)) {
            let row = parts.concat() + &texts.concat();
            let texts: Texts<'_> = std::array::from_fn(|index| Some(&*texts[index]));
            let mut template = row.clone().into_bytes();
            pack(&mut template, &texts);
            let mut json = b"before".to_vec();
            unpack(&template, &texts, &mut json).unwrap();
            prop_assert_eq!(String::from_utf8(json).unwrap(), format!("before{row}"));
        }

        #[test]
        fn any_template_is_safe(template in vec(0..12_u8, 0..20), has_text: bool) {
            let texts = [has_text.then_some("text"); TEXTS];
            let _ = unpack(&template, &texts, &mut Vec::new());
        }
    }

    #[test]
    fn texts_are_replaced() {
        let mut row = br#"{"id":"tax.c_1","source":"c_1","name":"A"}"#.to_vec();
        let mut texts: Texts<'_> = [None; TEXTS];
        (texts[0], texts[3]) = (Some("c_1"), Some("A"));
        pack(&mut row, &texts);
        assert_eq!(row.escape_ascii().to_string(), r#"{\"id\":\"tax.\x01\",\"source\":\"\x01\",\"name\":\"A\"}"#);
    }

    #[test]
    fn expansion_is_bounded() {
        let text = "x".repeat(1 << 20);
        let texts = [Some(&*text); TEXTS];
        assert_eq!(unpack(&[1; 1000], &texts, &mut Vec::new()), None);
    }
}
