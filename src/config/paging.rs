//! `[paging]`: cursor key and vendor-call limit.

use std::num::NonZeroU32;

use crate::domain::cursor::CursorKey;

use super::{ConfigError, file, reader::Reader};

/// Paging settings.
#[derive(Debug, Clone)]
pub struct Paging {
    /// Key that authenticates cursors; random if absent.
    pub cursor_key: Option<CursorKey>,
    /// Maximum number of vendor calls per request.
    pub max_vendor_calls: u32,
}

impl Default for Paging {
    fn default() -> Self {
        Self { cursor_key: None, max_vendor_calls: 20 }
    }
}

impl Reader<'_> {
    pub(super) fn paging(&self, section: &file::Paging) -> Result<Paging, ConfigError> {
        let secret = section.cursor_key.as_ref().map(|secret| self.secret("paging.cursor_key", secret)).transpose()?;
        Ok(Paging {
            cursor_key: secret.map(|secret| CursorKey::derive(secret.as_bytes())),
            max_vendor_calls: section.max_vendor_calls.map_or(Paging::default().max_vendor_calls, NonZeroU32::get),
        })
    }
}
