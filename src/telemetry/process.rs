//! Metrics of the process: resources, version and commit.

use metrics::{Recorder, counter, gauge};
use metrics_process::Collector;

use super::log;

/// Name of the metric of dropped log lines.
const LOG_LINES_DROPPED: &str = "gateway_log_lines_dropped_total";

/// Registers the metrics of the process, and sets the version and the commit.
pub(super) fn describe(recorder: &impl Recorder) -> Collector {
    let collector = Collector::default();
    metrics::with_local_recorder(recorder, || {
        collector.describe();
        metrics::describe_gauge!(
            "gateway_build_info",
            "Always 1, labelled with the version and commit of the gateway."
        );
        let labels = [("version", env!("CARGO_PKG_VERSION")), ("commit", env!("GATEWAY_BUILD_COMMIT"))];
        gauge!("gateway_build_info", &labels).set(1.0);
        let help = "Log lines dropped because standard error did not accept them.";
        metrics::describe_counter!(LOG_LINES_DROPPED, help);
    });
    collector
}

/// Updates the metrics of the process.
pub(super) fn collect(collector: &Collector, recorder: &impl Recorder) {
    metrics::with_local_recorder(recorder, || {
        collector.collect();
        counter!(LOG_LINES_DROPPED).absolute(log::dropped_lines());
    });
}
