//! Batches: customers by id, over several connections.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::{
    domain::{
        batch::{BatchQuery, OpenIds},
        cursor::BatchCursor,
        query::Retrieval,
    },
    vendors::plan::RetrievalPlan,
};

use super::{
    Directory, DirectoryError, ListPage, PageRequest,
    planned_source::check_plans,
    skip_policy::SkipPolicy,
    source_batch::{OpenId, SourceBatch},
    walk::CallBudget,
};

impl Directory {
    /// Returns the customers of a batch, in request order. Ids without a result
    /// stay open in the cursor: the call budget or the request's time is
    /// exhausted, or the source failed and may be skipped. Fails if no id has an
    /// result.
    pub async fn retrieve_batch(&self, query: &BatchQuery, request: &PageRequest) -> Result<ListPage, DirectoryError> {
        let mut cursor = self.cursors.open_batch(query, request.cursor.as_deref())?;
        let mut parts = self.source_batches(query, request, cursor.open.limited(request.limit))?;
        let calls = CallBudget::new(self.allowed_calls(request));
        let is_in_time = tokio::select! {
            biased;
            _ = join_all(parts.iter_mut().map(|part| part.fetch(&calls, request))) => true,
            () = request.deadline.reached() => false,
        };
        check_results(&parts, request, is_in_time)?;
        for index in parts.iter().flat_map(|part| part.closed_ids(query)) {
            cursor.open.remove(index);
        }
        Ok(self.batch_page(query, parts, &cursor))
    }

    /// Plans the retrievals of a page's ids at each source.
    fn source_batches(
        &self,
        query: &BatchQuery,
        request: &PageRequest,
        page: OpenIds,
    ) -> Result<Vec<SourceBatch>, DirectoryError> {
        let parts = request.connections.iter().map(|name| {
            let source = Arc::clone(self.source(name)?);
            let ids: Vec<_> = query.ids.iter().enumerate().filter(|(_, id)| id.connection == *name).collect();
            let plan = |(index, vendor_id): (usize, &String)| {
                let retrieval = Retrieval { vendor_id: vendor_id.clone(), shape: query.shape.clone() };
                let plan = Arc::new(RetrievalPlan::new(source.capabilities(), &retrieval)?);
                Ok(OpenId { index, plan })
            };
            let (current, later): (Vec<_>, Vec<_>) = ids.into_iter().partition(|(index, _)| page.contains(*index));
            let planned = current.into_iter().map(|(index, id)| plan((index, &id.vendor_id))).collect();
            Ok(SourceBatch::new(Arc::clone(&source), planned, later.is_empty()))
        });
        let parts = parts.collect::<Result<Vec<_>, DirectoryError>>()?;
        check_plans(parts.iter().map(|part| (&*part.source, part.ids.as_ref().err())), request)?;
        Ok(parts)
    }

    /// Assembles the page of a batch.
    fn batch_page(&self, query: &BatchQuery, mut parts: Vec<SourceBatch>, cursor: &BatchCursor) -> ListPage {
        let sources = parts.iter_mut().map(|part| part.report(query)).collect();
        let freshness = parts.iter_mut().filter_map(|part| part.freshness.take());
        let freshness = freshness.reduce(|mut combined, other| {
            combined.merge(other);
            combined
        });
        let mut rows: Vec<_> = parts.into_iter().flat_map(|part| part.rows).collect();
        rows.sort_unstable_by_key(|(index, _)| *index);
        ListPage {
            segments: rows.into_iter().map(|(_, segment)| segment).collect(),
            next_cursor: self.cursors.seal_batch(cursor),
            prev_cursor: None,
            has_kept_cursor: false,
            sources,
            freshness,
        }
    }
}

/// Fails if no id has a result, or if a source failed and may not be skipped.
fn check_results(parts: &[SourceBatch], request: &PageRequest, is_in_time: bool) -> Result<(), DirectoryError> {
    let skip_policy = if request.allows_partial { SkipPolicy::Failures } else { SkipPolicy::Never };
    let has_result = parts.iter().any(SourceBatch::has_result);
    let failure = parts.iter().filter_map(|part| part.failure.as_ref());
    let mut fatal = failure.filter(|failure| !has_result || !skip_policy.skips(failure));
    if let Some(failure) = fatal.next() {
        return Err(failure.clone());
    }
    if has_result {
        return Ok(());
    }
    let obstacle = parts.iter().find_map(|part| part.obstacle.clone());
    let obstacle = obstacle.or((!is_in_time).then_some(DirectoryError::DeadlineExceeded));
    obstacle.map_or(Ok(()), Err)
}
