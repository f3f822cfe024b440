//! Predicted reads of a dry run.

use std::sync::Arc;

use crate::{
    cache::{Entry, Gap, ListRows, Peek, Rows},
    domain::{anchor::Anchor, page::RecordPage},
    vendors::{Call, VendorRequest},
};

use super::{Pages, Stop, pages::PageRead};

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
        self.predicted.push(PredictedCall { request, cached, is_sent });
        read.ok_or(Stop::Unpredictable)
    }

    /// Returns the calls predicted so far and clears them.
    pub(super) fn take_predicted(&mut self) -> Vec<PredictedCall> {
        std::mem::take(&mut self.predicted)
    }

    /// Returns the number of predicted calls.
    pub(super) fn predicted_count(&self) -> u64 {
        self.predicted.len() as u64
    }

    /// Returns the first page of the prediction, if it is cached.
    pub(super) fn predicted_start(&self) -> Option<&RecordPage> {
        let entry = self.predicted.first()?.cached.as_ref()?;
        Some(&entry.page)
    }

    /// Returns true if the last predicted page is not cached.
    pub(super) fn predicts_a_call(&self) -> bool {
        self.predicted.last().is_some_and(|call| call.cached.is_none())
    }
}
