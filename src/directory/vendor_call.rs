//! Vendor calls of a source: admission, call, metrics and drift detection.

use std::{sync::Arc, time::Duration};

use crate::{
    cache::PageFetch,
    domain::{page::RecordPage, priority::Priority},
    shared::SharedPages,
    upstream::{CallError, Reply, Reservation, SendError, VendorWait, Waiters},
    vendors::{Call, VendorRequest, VendorResponse, documented::UnknownField},
};

use super::{Source, SourceError, redaction::redact};

/// Fetch of one page of a source, on behalf of one request.
pub(super) struct SourceFetch {
    pub(super) source: Arc<Source>,
    pub(super) call: Call,
    pub(super) request: VendorRequest,
    pub(super) reservation: Arc<Reservation>,
}

impl PageFetch for SourceFetch {
    type Error = SourceError;
    type Permission = Option<VendorWait>;

    fn reservation(&self) -> &Arc<Reservation> {
        &self.reservation
    }

    fn shared_pages(&self) -> Option<&Arc<dyn SharedPages>> {
        self.source.shared_pages.as_ref()
    }

    fn enter(&self) -> Result<Option<VendorWait>, SourceError> {
        Ok(self.source.upstream.enter(self.reservation.priority())?)
    }

    fn refresh(&self) -> Self {
        let (source, call, request) = (Arc::clone(&self.source), self.call.clone(), self.request.clone());
        let caller = self.reservation.caller().clone();
        let reservation = Arc::new(source.upstream.reservation(caller, Priority::Refresh, Duration::MAX));
        Self { source, call, request, reservation }
    }

    async fn admit(&self, joins: bool) -> Result<Option<VendorWait>, SourceError> {
        let waiting = self.enter()?;
        let admitted =
            if joins { self.reservation.charge().await } else { self.source.upstream.admit(&self.reservation).await };
        // No caller waits for a refresh, so its rejection is not counted.
        if self.reservation.priority() != Priority::Refresh && matches!(admitted, Err(SendError::ShareSpent { .. })) {
            self.source.metrics.record_share_rejection(&self.reservation.caller().name);
        }
        admitted?;
        Ok(waiting)
    }

    async fn fetch(&self, waiters: &Waiters) -> Result<RecordPage, SourceError> {
        // The job of a stored list reads its pages itself.
        let is_other = self.reservation.priority() != Priority::Export;
        let update = if is_other { self.source.begin_update(&self.call) } else { None };
        let page = self.source.call(&self.call, &self.request, waiters).await?;
        if let Some(update) = update {
            update.end(&page);
        }
        Ok(page)
    }
}

impl Source {
    async fn call(&self, call: &Call, request: &VendorRequest, waiters: &Waiters) -> Result<RecordPage, SourceError> {
        let start = self.metrics.elapsed();
        let read = |response: &VendorResponse| {
            self.adapter.read(call, response).map_err(|error| redact(error, &self.upstream))
        };
        let sent = self.upstream.send(request, waiters, read).await;
        match &sent {
            Ok(reply) => self.metrics.record_call(Some(reply.response.status), start),
            Err(CallError::Vendor { error, status, .. }) => {
                self.metrics.record_call(Some(error.effective_status(*status)), start);
            }
            Err(error @ CallError::Send(_)) => {
                // A request that was not sent is not a vendor call.
                if !error.is_unsent() {
                    self.metrics.record_call(None, start);
                }
            }
        }
        let Reply { value: page, response } = sent?;
        self.record_anomalies(&page);
        self.detect_drift(call, &response, &page);
        Ok(page)
    }

    fn record_anomalies(&self, page: &RecordPage) {
        let anomalies = &page.info().anomalies;
        self.metrics.record_anomalies(page);
        let unreadable_rows = anomalies.null_rows.saturating_add(anomalies.unreadable_rows);
        if anomalies.foreign_rows > 0 || unreadable_rows > 0 || anomalies.unreadable_values > 0 {
            tracing::warn!(
                connection = %self.name(),
                foreign_rows = anomalies.foreign_rows,
                unreadable_rows,
                unreadable_values = anomalies.unreadable_values,
                "vendor page contained foreign rows or unreadable values"
            );
        }
        if page.alias().is_some() {
            tracing::warn!(connection = %self.name(), "vendor returned a customer with another id");
        }
    }

    /// Records values and fields that the vendor does not document.
    fn detect_drift(&self, call: &Call, response: &VendorResponse, page: &RecordPage) {
        for (field, count) in &page.info().anomalies.unknown_values {
            self.drift.record_values(field, *count);
        }
        if self.drift.should_inspect(call) {
            for field in self.adapter.unknown_fields(call, response) {
                let name = field.name.map(|name| self.upstream.redact(&name));
                self.drift.record_field(UnknownField { name, ..field });
            }
        }
    }
}
