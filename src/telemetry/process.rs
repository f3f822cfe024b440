//! Metrics of the process: resources and version.

use metrics::{Recorder, gauge};
use metrics_process::Collector;

/// Registers the metrics of the process, and sets the version.
pub(super) fn describe(recorder: &impl Recorder) -> Collector {
    let collector = Collector::default();
    metrics::with_local_recorder(recorder, || {
        collector.describe();
        metrics::describe_gauge!("gateway_build_info", "Always 1, labelled with the version of the gateway.");
        gauge!("gateway_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    });
    collector
}

/// Updates the metrics of the process.
pub(super) fn collect(collector: &Collector, recorder: &impl Recorder) {
    metrics::with_local_recorder(recorder, || collector.collect());
}
