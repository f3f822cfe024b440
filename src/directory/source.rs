//! One configured connection: its vendor's translation, its way out, and the
//! pages kept of it.

use std::sync::Arc;

use crate::{
    cache::{CacheStatus, Entry, Key, PageCache},
    domain::{connection::ConnectionName, page::RecordPage},
    upstream::Upstream,
    vendors::{Account, Call, Refusal, Vendor, VendorError, VendorRequest, capabilities::Capabilities, registry::Kind},
};

use super::{DirectoryError, SourceError};

/// The most of a vendor's message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// A connection that can be asked.
pub struct Source {
    name: ConnectionName,
    kind: &'static Kind,
    adapter: Box<dyn Vendor>,
    upstream: Upstream,
    cache: PageCache,
}

impl Source {
    /// A connection to an account at a kind of vendor.
    #[must_use]
    pub fn new(kind: &'static Kind, account: Account, upstream: Upstream, cache: PageCache) -> Self {
        Self { name: account.connection.clone(), kind, adapter: (kind.adapter)(account), upstream, cache }
    }

    /// The connection's name.
    #[must_use]
    pub fn name(&self) -> &ConnectionName {
        &self.name
    }

    /// The kind of vendor's name.
    #[must_use]
    pub fn vendor(&self) -> &'static str {
        self.kind.name
    }

    /// What can be asked of it.
    #[must_use]
    pub fn capabilities(&self) -> &'static Capabilities {
        self.adapter.capabilities()
    }

    /// What identifies a call in the cache.
    pub(super) fn key(&self, call: &Call) -> Result<(Key, VendorRequest), SourceError> {
        let request = self.adapter.request(call)?;
        let target = format!("{}?{}", request.path, request.query).into();
        Ok((Key { connection: self.name.clone(), target, raw: call.shape().raw }, request))
    }

    /// The page that a call brings, kept or fetched.
    pub(super) async fn fetch(self: &Arc<Self>, call: Call) -> Result<(Arc<Entry>, CacheStatus), SourceError> {
        let (key, request) = self.key(&call)?;
        let source = Arc::clone(self);
        let flight = async move { source.call(&call, &request).await };
        self.cache.get(key, flight).await.map_err(|error: Arc<SourceError>| (*error).clone())
    }

    /// Names this connection in an error.
    pub(super) fn blame(&self, error: SourceError) -> DirectoryError {
        match error {
            SourceError::Vendor(VendorError::NotFound) => DirectoryError::NotFound,
            SourceError::Vendor(VendorError::CursorRefused(_)) => DirectoryError::CursorExpired(self.name.clone()),
            error => DirectoryError::Source(self.name.clone(), error),
        }
    }

    async fn call(&self, call: &Call, request: &VendorRequest) -> Result<RecordPage, SourceError> {
        let response = self.upstream.send(request).await?;
        let page = self.adapter.read(call, &response).map_err(|error| self.redacted(error))?;
        let odd = page.facts().oddities;
        if odd.foreign_rows > 0 || odd.unreadable_values > 0 {
            tracing::warn!(
                connection = %self.name,
                foreign_rows = odd.foreign_rows,
                unreadable_values = odd.unreadable_values,
                "the vendor's page was not served as it stood"
            );
        }
        Ok(page)
    }

    fn redacted(&self, error: VendorError) -> VendorError {
        let redact = |refusal: Refusal| {
            let clean = |text: Option<String>| {
                text.map(|text| self.upstream.redact(&text).chars().take(LONGEST_MESSAGE).collect())
            };
            Refusal { code: clean(refusal.code), message: clean(refusal.message), ..refusal }
        };
        match error {
            VendorError::CursorRefused(refusal) => VendorError::CursorRefused(redact(refusal)),
            VendorError::ValueRefused(parameter, refusal) => VendorError::ValueRefused(parameter, redact(refusal)),
            VendorError::Rejected(refusal) => VendorError::Rejected(redact(refusal)),
            VendorError::Unauthorized(refusal) => VendorError::Unauthorized(redact(refusal)),
            VendorError::RateLimited(refusal) => VendorError::RateLimited(redact(refusal)),
            VendorError::Failed(refusal) => VendorError::Failed(redact(refusal)),
            error @ (VendorError::NotFound | VendorError::Unreadable(_)) => error,
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("name", &self.name).field("vendor", &self.kind.name).finish_non_exhaustive()
    }
}
