//! Caller of the last request on a connection.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::HeaderValue;
use jiff::Timestamp;

use super::CallerId;

/// Caller of the last key on a connection. A repeated `Authorization` header needs no
/// digest.
#[derive(Default)]
pub struct RememberedCaller(Option<Remembered>);

struct Remembered {
    /// Complete value of the header.
    header: Box<[u8]>,
    /// Configuration that knows the key.
    registry: u64,
    caller: CallerId,
    expires: Option<Timestamp>,
}

impl RememberedCaller {
    /// Returns the caller and the expiry of the key, if the header and the
    /// configuration are those of the last request. The comparison takes constant time:
    /// a proxy may send the requests of several clients on one connection.
    pub(super) fn get(&self, header: &HeaderValue, registry: u64) -> Option<(CallerId, Option<Timestamp>)> {
        let remembered = self.0.as_ref().filter(|remembered| remembered.registry == registry)?;
        verify_slices_are_equal(&remembered.header, header.as_bytes()).ok()?;
        Some((remembered.caller, remembered.expires))
    }

    /// Remembers the caller of a key.
    pub(super) fn set(&mut self, header: &HeaderValue, registry: u64, caller: CallerId, expires: Option<Timestamp>) {
        self.0 = Some(Remembered { header: header.as_bytes().into(), registry, caller, expires });
    }
}

/// Shows no part of the key.
impl std::fmt::Debug for RememberedCaller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RememberedCaller").field(&self.0.as_ref().map(|remembered| remembered.caller)).finish()
    }
}
