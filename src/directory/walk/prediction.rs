//! Predicted reads of a dry run.

use std::{collections::HashSet, sync::Arc};

use crate::{
    cache::{Entry, Gap, ListRows, Peek, Rows},
    domain::{anchor::Anchor, page::RecordPage},
    vendors::{Call, VendorRequest},
};

use super::{Pages, Stop, pages::PageRead};

/// Maximum number of predicted requests of a walk that are kept.
const MAX_REQUESTS: usize = 20;

/// Predicted reads of a walk. The first `MAX_REQUESTS` requests are kept, and further
/// requests are counted only: a walk may read thousands of cached pages.
#[derive(Debug, Default)]
pub(in crate::directory) struct Prediction {
    /// First requests, each once.
    pub(in crate::directory) requests: Vec<PredictedCall>,
    /// Number of requests that `requests` omits.
    pub(in crate::directory) omitted: usize,
    /// Number of requests that are sent.
    pub(in crate::directory) sent: u32,
    /// Number of requests that are sent although a cached page is served.
    pub(in crate::directory) refreshes: u32,
    /// Number of requests whose page is cached.
    pub(in crate::directory) cached: u32,
    /// Digests of the requests. A walk may visit a page twice, which takes one call.
    digests: HashSet<blake3::Hash>,
    /// Number of reads, including repeated reads.
    reads: u64,
    /// True if the page of the last read is not cached.
    ends_uncached: bool,
}

/// Predicted read of a page.
#[derive(Debug)]
pub(in crate::directory) struct PredictedCall {
    /// Vendor request for the page.
    pub(in crate::directory) request: VendorRequest,
    /// Cached page that would be served, if any.
    pub(in crate::directory) cached: Option<Arc<Entry>>,
    /// True if the request is sent, either by the caller's request or as a
    /// background refresh.
    pub(in crate::directory) is_sent: bool,
}

impl Prediction {
    fn push(&mut self, call: PredictedCall) {
        let is_cached = call.cached.is_some();
        self.reads += 1;
        self.ends_uncached = !is_cached;
        let target = format!("{}?{}", call.request.path, call.request.query);
        if !self.digests.insert(blake3::hash(target.as_bytes())) {
            return;
        }
        self.sent += u32::from(call.is_sent);
        self.refreshes += u32::from(call.is_sent && is_cached);
        self.cached += u32::from(is_cached);
        if self.requests.len() < MAX_REQUESTS {
            self.requests.push(call);
        } else {
            self.omitted += 1;
        }
    }
}

impl Pages {
    pub(super) async fn predict(&mut self, anchor: &Anchor, gap: Option<Gap>) -> Result<PageRead, Stop> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        let list = self.list().map_err(|error| self.source.with_connection(error))?;
        let rows = Rows::List(ListRows { list, anchor: anchor.clone(), gap });
        let peeked = self.source.peek(&call, Some(&rows), &self.options.directives).await;
        let (peek, request) = peeked.map_err(|error| self.source.with_connection(error))?;
        let (read, is_sent) = match peek {
            Peek::Cached { entry, starts_refresh, is_substitute } => {
                (Some(PageRead { entry, is_substitute }), starts_refresh)
            }
            Peek::Fetched => (None, !self.options.directives.only_if_cached),
        };
        let cached = read.as_ref().map(|read| Arc::clone(&read.entry));
        self.prediction.push(PredictedCall { request, cached, is_sent });
        read.ok_or(Stop::Unpredictable)
    }

    /// Returns the prediction so far and clears it.
    pub(super) fn take_prediction(&mut self) -> Prediction {
        std::mem::take(&mut self.prediction)
    }

    /// Returns the number of predicted reads.
    pub(super) fn predicted_count(&self) -> u64 {
        self.prediction.reads
    }

    /// Returns the first page of the prediction, if it is cached.
    pub(super) fn predicted_start(&self) -> Option<&RecordPage> {
        let entry = self.prediction.requests.first()?.cached.as_ref()?;
        Some(&entry.page)
    }

    /// Returns true if the last predicted page is not cached.
    pub(super) fn predicts_a_call(&self) -> bool {
        self.prediction.ends_uncached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_beyond_the_limit_are_counted_only() {
        let mut prediction = Prediction::default();
        for page in (0..1_000).chain(0..10) {
            let request = VendorRequest { path: "/customers".to_owned(), query: format!("page={page}") };
            prediction.push(PredictedCall { request, cached: None, is_sent: page % 2 == 0 });
        }
        let Prediction { requests, omitted, sent, refreshes, cached, reads, .. } = prediction;
        assert_eq!((requests.len(), omitted, sent, reads), (MAX_REQUESTS, 1_000 - MAX_REQUESTS, 500, 1_010));
        assert_eq!((refreshes, cached), (0, 0));
    }
}
