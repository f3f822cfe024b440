//! Header fields in an input, one per line.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Reads lines of the form `name: value`. Other lines are skipped.
pub fn read(lines: &[u8]) -> HeaderMap {
    let field = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
    };
    let mut fields = HeaderMap::new();
    for (name, value) in lines.split(|byte| *byte == b'\n').filter_map(field).take(50) {
        fields.append(name, value);
    }
    fields
}
