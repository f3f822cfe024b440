//! `[paging]`: cursor key and limits of lists.

use std::num::NonZeroU32;

use crate::{directory::Limits, domain::cursor::CursorKey, shared::SharedKey};

use super::{ConfigError, file, reader::Reader};

/// Paging settings.
#[derive(Debug, Clone)]
pub struct Paging {
    /// Key that authenticates cursors; random if absent.
    pub cursor_key: Option<CursorKey>,
    /// Key from which the keys of snapshots are derived; absent with a random
    /// `cursor_key`.
    pub storage_key: Option<SharedKey>,
    /// Maximum number of vendor calls per request.
    pub max_vendor_calls: u32,
    /// Maximum number of rows that a list sorts for each connection.
    pub max_sorted_rows: u32,
    /// Maximum number of rows that an export sorts for each connection.
    pub max_export_sorted_rows: u32,
}

impl Paging {
    /// Returns the limits of lists.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            max_calls: self.max_vendor_calls,
            max_sorted_rows: self.max_sorted_rows,
            max_export_sorted_rows: self.max_export_sorted_rows,
        }
    }
}

impl Default for Paging {
    fn default() -> Self {
        let Limits { max_calls, max_sorted_rows, max_export_sorted_rows } = Limits::default();
        Self {
            cursor_key: None,
            storage_key: None,
            max_vendor_calls: max_calls,
            max_sorted_rows,
            max_export_sorted_rows,
        }
    }
}

impl Reader<'_> {
    pub(super) fn paging(&self, section: &file::Paging) -> Result<Paging, ConfigError> {
        let secret = section.cursor_key.as_ref().map(|secret| self.secret("paging.cursor_key", secret)).transpose()?;
        let default = Paging::default();
        let or = |value: Option<NonZeroU32>, default| value.map_or(default, NonZeroU32::get);
        Ok(Paging {
            cursor_key: secret.as_ref().map(|secret| CursorKey::derive(secret.as_bytes())),
            storage_key: secret.map(|secret| SharedKey::derive(secret.as_bytes())),
            max_vendor_calls: or(section.max_vendor_calls, default.max_vendor_calls),
            max_sorted_rows: or(section.max_sorted_rows, default.max_sorted_rows),
            max_export_sorted_rows: or(section.max_export_sorted_rows, default.max_export_sorted_rows),
        })
    }
}
