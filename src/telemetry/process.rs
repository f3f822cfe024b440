//! Metrics of the process: resources and version.

use metrics::{Recorder, counter, gauge};
use metrics_process::Collector;

use super::log;

/// Name of the metric of dropped log lines.
const LOG_LINES_DROPPED: &str = "gateway_log_lines_dropped_total";

/// Registers the metrics of the process, and sets the version.
pub(super) fn describe(recorder: &impl Recorder) -> Collector {
    let collector = Collector::default();
    metrics::with_local_recorder(recorder, || {
        collector.describe();
        metrics::describe_gauge!("gateway_build_info", "Always 1, labelled with the version of the gateway.");
        gauge!("gateway_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
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
