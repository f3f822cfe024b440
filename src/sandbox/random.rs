//! Chance, for made-up rows.

use fastrand::Rng;

use super::Field;

/// True once in `n` times.
pub(crate) fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(..n) == 0
}

/// Any one of the items.
pub(crate) fn pick<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.usize(..items.len())]
}

/// A prefix and 24 alphanumerics, as in the vendors' examples; now and then a uuid, which their
/// pages name too.
pub(crate) fn id(rng: &mut Rng, prefix: &str) -> String {
    if one_in(rng, 30) {
        return uuid(rng);
    }
    let mut id = String::with_capacity(prefix.len() + 24);
    id.push_str(prefix);
    id.extend(std::iter::repeat_with(|| rng.alphanumeric()).take(24));
    id
}

/// A random uuid.
pub(crate) fn uuid(rng: &mut Rng) -> String {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid().to_string()
}

/// The value, but once in `n` times null, empty or absent (FACTS, case 8).
pub(crate) fn mostly(rng: &mut Rng, n: u32, value: String) -> Field<String> {
    if !one_in(rng, n) {
        return Field::Value(value);
    }
    match rng.u8(..4) {
        0 => Field::Absent,
        1 => Field::Value(String::new()),
        _ => Field::Null,
    }
}
