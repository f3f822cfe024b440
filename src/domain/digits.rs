//! Decimal digits of numbers with leading zeros.

/// Decimal digits of the numbers from 0 to 99.
const PAIRS: [[u8; 2]; 100] = pairs();

/// Returns the last `N` digits of a number, with leading zeros. Two digits take
/// one division.
pub(crate) fn padded<const N: usize>(number: u32) -> [u8; N] {
    let (mut digits, mut rest) = ([b'0'; N], number);
    let (first, pairs) = digits.as_rchunks_mut();
    for pair in pairs.iter_mut().rev() {
        *pair = PAIRS[rest as usize % PAIRS.len()];
        rest /= 100;
    }
    if let [first] = first {
        let [_, last] = PAIRS[rest as usize % PAIRS.len()];
        *first = last;
    }
    digits
}

const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_padded_and_truncated() {
        for number in [0, 7, 42, 100, 9_876, 12_345, 999_999_999, u32::MAX] {
            let all = format!("{number:020}");
            assert_eq!(padded::<1>(number), all.as_bytes()[19..]);
            assert_eq!(padded::<4>(number), all.as_bytes()[16..]);
            assert_eq!(padded::<9>(number), all.as_bytes()[11..]);
        }
    }
}
