//! Stream of an export.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use opentelemetry::{Context, context::FutureExt};

use crate::{
    api::body::{
        export::{Checkpoint, ExportStatus, Format},
        sources::SourceReport,
    },
    directory::Export,
    domain::query::ListQuery,
    web::problem::{Problem, SourceProblem},
};

/// State of an export stream. The caller sets the pace: a page is fetched when
/// the previous page has been read.
struct ExportStream {
    export: Export,
    query: ListQuery,
    format: Format,
    is_finished: bool,
    count: usize,
    /// Trace context of the request, whose handler has already returned.
    context: Context,
}

/// Returns the body of an export.
pub(super) fn stream(
    export: Export,
    query: ListQuery,
    format: Format,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let header = stream::iter(format.header(&query).map(Ok));
    let state = ExportStream { export, query, format, is_finished: false, count: 0, context: Context::current() };
    header.chain(stream::unfold(state, async |mut state| Some((Ok(state.next().await?), state))))
}

impl ExportStream {
    /// Returns the bytes of the next page and its checkpoint.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_finished {
            return None;
        }
        let page = self.export.next().with_context(self.context.clone()).await;
        self.count += page.count;
        let (status, problem) = match (&page.failure, &page.cursor) {
            (Some(error), _) => (ExportStatus::Incomplete, Some(SourceProblem::from(Problem::from(error.clone())))),
            (None, None) => (ExportStatus::Complete, None),
            (None, Some(_)) => (ExportStatus::Continues, None),
        };
        self.is_finished = status != ExportStatus::Continues;
        let sources = self.is_finished.then(|| page.sources.iter().map(SourceReport::new).collect());
        let checkpoint = Checkpoint { status, count: self.count, cursor: page.cursor.clone(), problem, sources };
        Some(self.format.page(&self.query, &page, &checkpoint))
    }
}
