//! Search for the bytes that JSON text escapes: quotation marks, backslashes and control
//! characters (RFC 8259, section 7).

use wide::u8x16;

/// Number of bytes that are compared at once.
const BLOCK: usize = 16;

/// Returns the index of the first byte that a JSON text escapes.
pub(crate) fn find_escape(text: &[u8]) -> Option<usize> {
    let (blocks, rest) = text.as_chunks();
    for (index, block) in blocks.iter().enumerate() {
        let found = escape_mask(*block).to_bitmask();
        if found != 0 {
            return Some(index * BLOCK + found.trailing_zeros() as usize);
        }
    }
    let found = escape_mask(block_of(rest)).to_bitmask();
    (found != 0).then(|| blocks.len() * BLOCK + found.trailing_zeros() as usize)
}

/// Returns true if JSON escapes no byte of a text.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    let (blocks, rest) = text.as_chunks();
    // A last block that overlaps the previous block takes fewer instructions than a copy.
    let last = text.last_chunk().copied().unwrap_or_else(|| block_of(rest));
    let found = blocks.iter().fold(escape_mask(last), |found, block| found | escape_mask(*block));
    found.to_bitmask() == 0
}

/// Returns a mask of the bytes that JSON escapes: 255 for each of them, 0 for all others.
fn escape_mask(block: [u8; BLOCK]) -> u8x16 {
    let bytes = u8x16::new(block);
    let is_control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\')) | is_control
}

/// Returns a block that begins with a text of at most [`BLOCK`] bytes and ends with spaces.
fn block_of(text: &[u8]) -> [u8; BLOCK] {
    let mut block = [b' '; BLOCK];
    block[..text.len()].copy_from_slice(text);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_escaped(byte: u8) -> bool {
        byte < 0x20 || byte == b'"' || byte == b'\\'
    }

    #[test]
    fn escaped_bytes_are_found_at_each_index() {
        for length in [1, 7, 15, 16, 17, 31, 32, 33, 47] {
            for index in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'a'; length];
                    text[index] = byte;
                    let found = is_escaped(byte).then_some(index);
                    assert_eq!(find_escape(&text), found, "{byte} at {index} of {length}");
                    assert_eq!(is_plain(&text), found.is_none(), "{byte} at {index} of {length}");
                }
            }
        }
    }

    #[test]
    fn first_escape_is_found() {
        let text = b"\xff\x80\x7f !#[]^0123456789abcdefghij\"klm\\\n";
        let first = text.iter().position(|byte| is_escaped(*byte));
        assert_eq!(find_escape(text), first);
        assert_eq!(find_escape(b""), None);
        assert!(is_plain(b""));
    }
}
