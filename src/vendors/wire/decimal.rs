//! Exact decimal numbers, from the text of a JSON number or a JSON string.

/// Number of digits up to which a number has a plain form.
const MAX_PLAIN_DIGITS: i64 = 64;

/// The number `±digits × 10^exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    is_negative: bool,
    /// Decimal digits without leading zeros; empty for zero.
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Parses `-12`, `629.00` or `6.29e2`. Signs and leading zeros are accepted,
    /// and thousands separators are not.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (is_negative, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, part)| (whole, Some(part)));
        if !is_digits(whole) || !fraction.is_none_or(is_digits) {
            return None;
        }
        let fraction = fraction.unwrap_or_default();
        let digits = format!("{whole}{fraction}").trim_start_matches('0').to_owned();
        Some(Self { is_negative, digits, exponent: exponent.saturating_sub(length(fraction)) })
    }

    /// Returns true for zero.
    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Returns the number of digits after the decimal point.
    pub(super) fn fractional_digits(&self) -> i64 {
        self.exponent.saturating_neg().max(0)
    }

    /// Returns the integer, or `None` for a fraction or an integer beyond
    /// `i64`.
    pub(super) fn to_integer(&self) -> Option<i64> {
        let significant = self.digits.trim_end_matches('0');
        let exponent = self.exponent.saturating_add(length(&self.digits) - length(significant));
        if significant.is_empty() {
            return Some(0);
        }
        if exponent < 0 || exponent.saturating_add(length(significant)) > 19 {
            return None;
        }
        let zeros = "0".repeat(usize::try_from(exponent).ok()?);
        let sign = if self.is_negative { "-" } else { "" };
        format!("{sign}{significant}{zeros}").parse().ok()
    }

    /// Returns the number times `10^power`, rounded down to an integer. Returns
    /// `None` beyond 36 digits.
    pub(super) fn scaled(&self, power: i64) -> Option<i128> {
        let exponent = self.exponent.saturating_add(power);
        let kept = length(&self.digits).saturating_add(exponent);
        if kept > 36 {
            return None;
        }
        let (digits, rest) = self.digits.split_at(usize::try_from(kept.max(0)).ok()?.min(self.digits.len()));
        let zeros = "0".repeat(usize::try_from(exponent.max(0)).ok()?.min(36));
        let magnitude: i128 = format!("0{digits}{zeros}").parse().ok()?;
        let is_rounded = rest.bytes().any(|digit| digit != b'0');
        Some(if self.is_negative { -magnitude - i128::from(is_rounded) } else { magnitude })
    }

    /// Returns the number without an exponent and without a fraction of zero.
    /// Returns `None` for more than `MAX_PLAIN_DIGITS` digits.
    pub(super) fn to_plain(&self) -> Option<String> {
        let sign = if self.is_negative && !self.is_zero() { "-" } else { "" };
        let places = self.fractional_digits();
        if places.saturating_add(length(&self.digits)).saturating_add(self.exponent.max(0)) > MAX_PLAIN_DIGITS {
            return None;
        }
        let zeros = "0".repeat(usize::try_from(self.exponent.max(0)).ok()?);
        let width = usize::try_from(places).ok()? + 1;
        let digits = format!("{:0>width$}", format!("{}{zeros}", self.digits));
        let (whole, fraction) = digits.split_at(digits.len() + 1 - width);
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        Some(match fraction.trim_end_matches('0') {
            "" => format!("{sign}{whole}"),
            fraction => format!("{sign}{whole}.{fraction}"),
        })
    }
}

/// Returns the exponent. An exponent beyond `i64` is clamped.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !is_digits(digits) {
        return None;
    }
    let clamped = if text.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
    Some(text.parse().ok().filter(|exponent: &i64| exponent.unsigned_abs() < clamped.unsigned_abs()).unwrap_or(clamped))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn integers_are_exact_or_none() {
        for (text, integer) in [
            ("629.0", Some(629)),
            ("629.00", Some(629)),
            ("6.29e2", Some(629)),
            ("62900E-2", Some(629)),
            ("-0.0", Some(0)),
            ("0e999999999999999999999", Some(0)),
            ("+7", Some(7)),
            ("007", Some(7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9007199254740993.000", Some(9_007_199_254_740_993)),
            ("9223372036854775808", None),
            ("12.5", None),
            ("1e-1", None),
            ("1e19", None),
            ("1e999999999999999999999", None),
            ("1e-999999999999999999999", None),
        ] {
            assert_eq!(decimal(text).to_integer(), integer, "{text}");
        }
    }

    #[test]
    fn other_text_is_not_a_number() {
        for text in
            ["", "-", "1,234", "1.", ".5", "1e", "1e+", "0x10", "NaN", "1_000", " 1", "1.2.3", "1e1.5", "--1", "٦"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn plain_form_keeps_all_digits() {
        for (text, plain) in [
            ("12345678901234567890123.0", Some("12345678901234567890123")),
            ("1.5e3", Some("1500")),
            ("0.0050", Some("0.005")),
            ("-0", Some("0")),
            ("12.50", Some("12.5")),
            ("1e64", None),
            ("1e-64", None),
        ] {
            assert_eq!(decimal(text).to_plain().as_deref(), plain, "{text}");
        }
    }

    proptest! {
        #[test]
        fn integer_forms_have_one_value(integer: i64, zeros in 0_usize..5, shift in 0_usize..5) {
            let text = format!("{integer}{}.{}e-{shift}", "0".repeat(shift), "0".repeat(zeros + 1));
            prop_assert_eq!(decimal(&text).to_integer(), Some(integer));
            prop_assert_eq!(decimal(&text).to_plain(), Some(integer.to_string()));
            prop_assert_eq!(decimal(&text).scaled(2), Some(i128::from(integer) * 100));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "[-+]?[0-9]{0,40}\\.?[0-9]{0,40}([eE][-+]?[0-9]{0,25})?", power in -20_i64..20) {
            if let Some(decimal) = Decimal::parse(&text) {
                let _ = (decimal.to_integer(), decimal.to_plain(), decimal.scaled(power));
            }
        }
    }
}
