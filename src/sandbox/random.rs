//! Random values for generated rows.

use fastrand::Rng;

use super::Field;

/// Returns true with probability 1/`n`.
pub(crate) fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(..n) == 0
}

/// Returns a random item.
pub(crate) fn pick<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.usize(..items.len())]
}

/// Generates an id: a prefix and 24 alphanumerics, as in the vendors' examples, or with probability
/// 1/30 a uuid, which the vendors' pages name too.
pub(crate) fn id(rng: &mut Rng, prefix: &str) -> String {
    if one_in(rng, 30) {
        return uuid(rng);
    }
    let mut id = String::with_capacity(prefix.len() + 24);
    id.push_str(prefix);
    id.extend(std::iter::repeat_with(|| rng.alphanumeric()).take(24));
    id
}

/// Generates a random uuid.
pub(crate) fn uuid(rng: &mut Rng) -> String {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid().to_string()
}

/// Wraps a value in a field. With probability 1/`n` the field is null, empty or absent (FACTS, case
/// 8).
pub(crate) fn sometimes_missing(rng: &mut Rng, n: u32, value: String) -> Field<String> {
    if !one_in(rng, n) {
        return Field::Value(value);
    }
    match rng.u8(..4) {
        0 => Field::Absent,
        1 => Field::Value(String::new()),
        _ => Field::Null,
    }
}
