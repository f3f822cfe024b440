//! Opaque forward cursors, bound to the filters of the list.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::super::query::{InvalidParameter, Query};

/// Length of a cursor's message authentication code.
const MAC_LEN: usize = 16;

/// Encodes and decodes the cursors of one list request.
#[derive(Debug)]
pub(crate) struct CursorCodec {
    key: [u8; 32],
    /// Filters of the request. The page size and the additional fields may change between pages.
    filters: String,
}

impl CursorCodec {
    pub(crate) fn new(seed: u64, query: &Query) -> Self {
        let mut filters: Vec<(&str, &str)> =
            query.pairs().filter(|(name, _)| !["cursor", "limit", "extend"].contains(name)).collect();
        filters.sort_unstable();
        Self {
            key: blake3::derive_key("customer-gateway sandbox cursor", &seed.to_le_bytes()),
            filters: format!("{filters:?}"),
        }
    }

    /// Returns the cursor of the page that follows this id.
    pub(crate) fn encode(&self, id: &str) -> String {
        let mut token = self.mac(id).to_vec();
        token.extend_from_slice(id.as_bytes());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Returns the id that the cursor's page follows.
    pub(crate) fn decode(&self, cursor: &str) -> Result<String, InvalidParameter> {
        URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|token| {
                let (mac, id) = token.split_first_chunk::<MAC_LEN>()?;
                let id = str::from_utf8(id).ok()?;
                (*mac == self.mac(id)).then(|| id.to_owned())
            })
            .ok_or_else(|| InvalidParameter::new("cursor", "cursor is invalid, or belongs to other filters"))
    }

    fn mac(&self, id: &str) -> [u8; MAC_LEN] {
        let text = format!("{}\n{id}", self.filters);
        let hash = blake3::keyed_hash(&self.key, text.as_bytes());
        std::array::from_fn(|index| hash.as_bytes()[index])
    }
}
