//! Stream of an export.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use opentelemetry::{Context, context::FutureExt};

use crate::{
    api::body::{
        export::{Checkpoint, ExportStatus, Format, RowWriter},
        sources::SourceReport,
    },
    api::parameters::Marks,
    directory::Export,
    web::problem::{Problem, SourceProblem},
};

/// State of an export stream. The caller sets the pace: a page is fetched when
/// the previous page has been read.
struct ExportStream {
    export: Export,
    rows: RowWriter,
    format: Format,
    marks: Marks,
    progress: Progress,
    count: usize,
    /// Trace context of the request, whose handler has already returned.
    context: Context,
}

/// Progress of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// More pages follow.
    Running,
    /// The last page was sent.
    Finished,
    /// The export failed, and no checkpoint was sent.
    Aborted,
}

/// The export failed, and the body has no checkpoint that reports the failure.
#[derive(Debug, thiserror::Error)]
#[error("the export is incomplete")]
pub(super) struct ExportAborted;

/// Returns the body of an export.
pub(super) fn stream(
    export: Export,
    rows: RowWriter,
    format: Format,
    marks: Marks,
) -> impl Stream<Item = Result<Bytes, ExportAborted>> {
    let header = stream::iter(format.header(&rows, marks).map(Ok));
    let context = Context::current();
    let state = ExportStream { export, rows, format, marks, progress: Progress::Running, count: 0, context };
    header.chain(stream::unfold(state, async |mut state| Some((state.next().await?, state))))
}

impl ExportStream {
    /// Returns the bytes of the next page and its checkpoint.
    async fn next(&mut self) -> Option<Result<Bytes, ExportAborted>> {
        match self.progress {
            Progress::Running => {}
            Progress::Finished => return None,
            Progress::Aborted => {
                self.progress = Progress::Finished;
                return Some(Err(ExportAborted));
            }
        }
        let page = self.export.next().with_context(self.context.clone()).await;
        self.count += page.count;
        let (status, problem) = match (&page.failure, &page.cursor) {
            (Some(error), _) => (ExportStatus::Incomplete, Some(SourceProblem::from(Problem::from(error.clone())))),
            (None, None) => (ExportStatus::Complete, None),
            (None, Some(_)) => (ExportStatus::Continues, None),
        };
        let is_last = status != ExportStatus::Continues;
        let sources = is_last.then(|| page.sources.iter().map(SourceReport::new).collect());
        let checkpoint = Checkpoint { status, count: self.count, cursor: page.cursor.clone(), problem, sources };
        let is_sent = self.marks == Marks::All || (is_last && self.format == Format::Ndjson);
        if is_last {
            let is_reported = is_sent || status == ExportStatus::Complete;
            self.progress = if is_reported { Progress::Finished } else { Progress::Aborted };
        }
        Some(Ok(self.format.page(&self.rows, &page, is_sent.then_some(&checkpoint))))
    }
}
