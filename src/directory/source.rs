//! One configured connection: its vendor's translation, its way out, and the
//! pages kept of it.

use std::{sync::Arc, time::Duration};

use crate::{
    cache::{CacheDirectives, Cached, Entry, Key, Lookup, PageCache, Peek, Policy},
    domain::priority::Priority,
    domain::{connection::ConnectionName, page::RecordPage, query::Resource},
    upstream::{CallerShare, Reply, SendError, Upstream},
    vendors::{
        Account, Call, Refusal, RefusalKind, Vendor, VendorError, VendorRequest, VendorResponse,
        capabilities::Capabilities, documented::UnknownField, kind::VendorKind,
    },
};

use super::{DirectoryError, Freshness, SourceError, SourceMetrics, drift::DriftDetector};

/// The most of a vendor's message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// A connection that can be asked.
pub struct Source {
    name: ConnectionName,
    generation: u32,
    kind: &'static VendorKind,
    adapter: Box<dyn Vendor>,
    upstream: Upstream,
    cache: PageCache,
    policies: Policies,
    metrics: Arc<SourceMetrics>,
    drift: DriftDetector,
}

/// How long each kind of answer of a connection may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policies {
    /// Pages of customers.
    pub customers: Policy,
    /// Single customers.
    pub customer: Policy,
    /// Pages of transactions.
    pub transactions: Policy,
}

impl Policies {
    fn of(&self, call: &Call) -> Policy {
        match call {
            Call::Retrieve(_) => self.customer,
            Call::List(plan, _) => match plan.resource {
                Resource::Customers => self.customers,
                Resource::Transactions => self.transactions,
            },
        }
    }
}

impl Source {
    /// A connection to an account at a kind of vendor; another account under
    /// the same name is of another generation.
    #[must_use]
    pub fn new(
        kind: &'static VendorKind,
        account: Account,
        generation: u32,
        upstream: Upstream,
        cache: PageCache,
        policies: Policies,
        metrics: Arc<SourceMetrics>,
    ) -> Self {
        let name = account.connection.clone();
        let adapter = (kind.adapter)(account);
        let drift = DriftDetector::new(name.clone(), kind.documented, &metrics.registry, Arc::clone(&metrics.clock));
        Self { name, generation, kind, adapter, upstream, cache, policies, metrics, drift }
    }

    /// Which of the accounts that its name has stood for.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
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
        self.kind.capabilities
    }

    /// What identifies a call in the cache.
    pub(super) fn key(&self, call: &Call) -> Result<(Key, VendorRequest), SourceError> {
        let request = self.adapter.request(call)?;
        let target = format!("{}?{}", request.path, request.query).into();
        let (connection, generation, raw) = (self.name.clone(), self.generation, call.shape().raw);
        Ok((Key { connection, generation, target, raw }, request))
    }

    /// The page that a call brings, kept or fetched on the payer's account.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        call: Call,
        directives: CacheDirectives,
        priority: Priority,
        caller_share: Option<CallerShare>,
    ) -> Result<Cached, SourceError> {
        let (key, request) = self.key(&call)?;
        let (policy, metrics) = (self.policies.of(&call), Arc::clone(&self.metrics.cache));
        let lookup = Lookup { key, policy, directives, priority, metrics };
        let source = Arc::clone(self);
        let admit = |priority| async move {
            source.charge(caller_share, priority).await?;
            Ok(async move { source.call(&call, &request, priority).await })
        };
        let cached = self.cache.get(lookup, admit).await?;
        if cached.entry.found { Ok(cached) } else { Err(VendorError::NotFound.into()) }
    }

    /// How the page that a call brings would be come by, and with which request.
    pub(super) async fn peek(
        &self,
        call: &Call,
        directives: &CacheDirectives,
    ) -> Result<(Peek, VendorRequest), SourceError> {
        let (key, request) = self.key(call)?;
        Ok((self.cache.peek(&key, self.policies.of(call), directives).await, request))
    }

    /// How old a kept page is.
    pub(super) fn age(&self, entry: &Entry) -> Duration {
        self.cache.age(entry)
    }

    /// How fresh an answer made of one kept page is.
    pub(super) fn freshness(&self, cached: &Cached) -> Freshness {
        Freshness::of(cached, self.cache.age(&cached.entry))
    }

    /// What is counted of it.
    #[must_use]
    pub fn metrics(&self) -> Arc<SourceMetrics> {
        Arc::clone(&self.metrics)
    }

    /// Whether anything is kept of it that may be served though its vendor
    /// fails.
    #[must_use]
    pub fn has_usable_entry(&self) -> bool {
        self.metrics.cache.has_usable_entry(self.metrics.elapsed())
    }

    /// The way out to the vendor, to look at.
    #[must_use]
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Names this connection in an error.
    pub(super) fn with_connection(&self, error: SourceError) -> DirectoryError {
        match error {
            SourceError::Vendor(VendorError::NotFound) => DirectoryError::NotFound,
            SourceError::Vendor(VendorError::Refused { kind: RefusalKind::CursorRejected, .. }) => {
                DirectoryError::CursorExpired(self.name.clone())
            }
            error => DirectoryError::Source(self.name.clone(), error),
        }
    }

    async fn charge(&self, caller_share: Option<CallerShare>, priority: Priority) -> Result<(), SourceError> {
        let Some(caller_share) = caller_share else { return Ok(()) };
        let charged = self.upstream.charge(&caller_share, priority).await;
        // Who does not wait for a call does not go without either.
        if priority == Priority::Caller && matches!(charged, Err(SendError::ShareSpent { .. })) {
            self.metrics.note_share_refused(&caller_share.name);
        }
        Ok(charged?)
    }

    async fn call(&self, call: &Call, request: &VendorRequest, priority: Priority) -> Result<RecordPage, SourceError> {
        let start = self.metrics.elapsed();
        let sent = self.upstream.send(request, priority).await;
        // What was held back never was a call.
        if !matches!(sent, Err(SendError::BudgetSpent { .. } | SendError::BreakerOpen { .. })) {
            self.metrics.note_call(sent.as_ref().ok().map(|reply| reply.response.status), start);
        }
        let Reply { response, retry_after } = sent?;
        let page = self.adapter.read(call, &response).map_err(|error| match self.redacted(error) {
            VendorError::Refused { kind: RefusalKind::RateLimited, refusal } => {
                SourceError::RateLimited { refusal, retry_after }
            }
            error => error.into(),
        })?;
        let odd = &page.info().anomalies;
        self.metrics.note_oddities(odd);
        if odd.foreign_rows > 0 || odd.unreadable_values > 0 {
            tracing::warn!(
                connection = %self.name,
                foreign_rows = odd.foreign_rows,
                unreadable_values = odd.unreadable_values,
                "the vendor's page was not served as it stood"
            );
        }
        self.watch(call, &response, &page);
        Ok(page)
    }

    /// Looks for what the vendor has changed.
    fn watch(&self, call: &Call, response: &VendorResponse, page: &RecordPage) {
        for (field, count) in &page.info().anomalies.unknown_values {
            self.drift.note_values(field, *count);
        }
        if self.drift.looks_at(call) {
            for field in self.adapter.unknown_fields(call, response) {
                let name = field.name.map(|name| self.upstream.redact(&name));
                self.drift.note_field(UnknownField { name, ..field });
            }
        }
    }

    fn redacted(&self, error: VendorError) -> VendorError {
        let clean =
            |text: Option<String>| text.map(|text| self.upstream.redact(&text).chars().take(LONGEST_MESSAGE).collect());
        error.map_refusal(|Refusal { status, code, message }| Refusal {
            status,
            code: clean(code),
            message: clean(message),
        })
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("name", &self.name).field("vendor", &self.kind.name).finish_non_exhaustive()
    }
}
