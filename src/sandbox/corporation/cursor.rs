//! Opaque cursors: forward only, bound to the filters they were made under.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::super::query::{Query, Refusal};

/// Makes and reads the cursors of one question.
#[derive(Debug)]
pub(crate) struct Cursors {
    key: [u8; 32],
    /// The filters of the question; the page size and what is shown of a row may change.
    filters: String,
}

const MAC: usize = 16;

impl Cursors {
    pub(crate) fn new(seed: u64, query: &Query) -> Self {
        let mut filters: Vec<(&str, &str)> =
            query.pairs().filter(|(name, _)| !["cursor", "limit", "extend"].contains(name)).collect();
        filters.sort_unstable();
        Self {
            key: blake3::derive_key("customer-gateway sandbox cursor", &seed.to_le_bytes()),
            filters: format!("{filters:?}"),
        }
    }

    /// The cursor of the page that follows this id.
    pub(crate) fn after(&self, id: &str) -> String {
        let mut token = self.mac(id).to_vec();
        token.extend_from_slice(id.as_bytes());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The id that the cursor's page follows.
    pub(crate) fn read(&self, cursor: &str) -> Result<String, Refusal> {
        URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|token| {
                let (mac, id) = token.split_first_chunk::<MAC>()?;
                let id = str::from_utf8(id).ok()?;
                (*mac == self.mac(id)).then(|| id.to_owned())
            })
            .ok_or_else(|| Refusal::new("cursor", "cursor is not valid, or was made under other filters"))
    }

    fn mac(&self, id: &str) -> [u8; MAC] {
        let text = format!("{}\n{id}", self.filters);
        let hash = blake3::keyed_hash(&self.key, text.as_bytes());
        std::array::from_fn(|at| hash.as_bytes()[at])
    }
}
