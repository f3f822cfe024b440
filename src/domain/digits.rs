//! Decimal digits of numbers with leading zeros.

/// Writes the last digits of a number, with leading zeros.
pub(crate) fn write_padded(digits: &mut [u8], number: u32) {
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10).to_le_bytes()[0];
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_padded_and_truncated() {
        for (number, expected) in [(0, "0000"), (42, "0042"), (9_876, "9876"), (12_345, "2345")] {
            let mut digits = [b'x'; 4];
            write_padded(&mut digits, number);
            assert_eq!(digits, expected.as_bytes());
        }
    }
}
