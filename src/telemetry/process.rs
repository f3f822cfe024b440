//! What the process takes of the machine, and which version it is.

use metrics::{Recorder, gauge};
use metrics_process::Collector;

/// Describes the process' figures, and names its version once and for all.
pub(super) fn describe(recorder: &impl Recorder) -> Collector {
    let collector = Collector::default();
    metrics::with_local_recorder(recorder, || {
        collector.describe();
        metrics::describe_gauge!("gateway_build_info", "Always 1; `version` is the gateway's.");
        gauge!("gateway_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    });
    collector
}

/// Reads the process' figures as they are now.
pub(super) fn collect(collector: &Collector, recorder: &impl Recorder) {
    metrics::with_local_recorder(recorder, || collector.collect());
}
