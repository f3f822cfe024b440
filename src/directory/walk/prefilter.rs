//! Fallback for a vendor that rejects a prefilter.

use std::sync::Arc;

use crate::{
    cache::{Cached, Gap},
    domain::{anchor::Anchor, priority::Priority},
    vendors::{RefusalKind, VendorError},
};

use super::{super::SourceError, Pages};

impl Pages {
    /// Fetches a page, and again without the prefilter if the vendor rejects the
    /// request. If the vendor then accepts the request, the source and the rest of
    /// the walk send no prefilter.
    ///
    /// The position of a walk is a gap between two rows, so a walk can continue in
    /// the list without the prefilter. The second call is made even without a call
    /// in the budget: otherwise a request for one call would never have a row.
    pub(super) async fn fetch_page(
        &mut self,
        anchor: &Anchor,
        gap: Option<Gap>,
        priority: Priority,
        is_required: bool,
    ) -> Result<Cached, SourceError> {
        let fetched = self.fetch_within_budget(anchor, gap.clone(), priority, is_required).await;
        let (Err(error), Some(prefilter)) = (&fetched, &self.plan.prefilter) else { return fetched };
        let name = prefilter.name;
        let Some(rejection) = Rejection::new(error, name, anchor) else { return fetched };
        let complete = Arc::new((*self.plan).clone().without_prefilter());
        let prefiltered = self.replace_plan(complete);
        let repeated = self.fetch_within_budget(anchor, gap, priority, true).await;
        match &repeated {
            Ok(_) if rejection == Rejection::Query => self.source.record_prefilter_rejection(name),
            Ok(_) => {}
            // The prefilter was not the cause.
            Err(_) => {
                self.replace_plan(prefiltered);
            }
        }
        repeated
    }
}

/// Rejection of a request that carries a prefilter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rejection {
    /// The query.
    Query,
    /// The cursor only. The vendor may know no row outside the prefilter's rows.
    Cursor,
}

impl Rejection {
    /// Returns the rejection of a call with the prefilter `name`, or `None` if the
    /// prefilter cannot be the cause of the error.
    fn new(error: &SourceError, name: &str, anchor: &Anchor) -> Option<Self> {
        let SourceError::Vendor { error, status: Some(status), .. } = error else { return None };
        let VendorError::Refused { kind, refusal } = error else { return None };
        let names = |part: &str| {
            let mut texts = [&refusal.code, &refusal.message].into_iter().flatten();
            texts.any(|text| text.to_lowercase().contains(part))
        };
        let is_rejection = match kind {
            RefusalKind::CursorRejected | RefusalKind::RequestRejected => true,
            // The message may name all parameters of the vendor.
            RefusalKind::ValueRejected(_) => names(name),
            RefusalKind::Unauthorized | RefusalKind::RateLimited | RefusalKind::Failed { .. } => false,
        };
        if !is_rejection || !matches!(error.effective_status(*status), 400 | 422) {
            return None;
        }
        // The vendor accepted the prefilter with the page that led to the cursor.
        let has_cursor = !matches!(anchor, Anchor::Start | Anchor::From(..));
        Some(if has_cursor && !names(name) { Self::Cursor } else { Self::Query })
    }
}
