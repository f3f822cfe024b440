//! Registry of metrics, rendered in Prometheus' text format.

use std::{
    collections::HashMap,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use metrics_process::Collector;
use parking_lot::Mutex;

use super::process;

/// Registry of one gateway's metrics. Several gateways may run in one process.
/// Clones share the metrics.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

/// Value of a gauge whose labels may disappear, such as the name of a connection.
#[derive(Debug)]
pub struct GaugeSample {
    /// Name of the metric.
    pub name: &'static str,
    /// Help string of the metric.
    pub help: &'static str,
    /// Names and values of the labels.
    pub labels: Vec<(&'static str, String)>,
    /// Current value.
    pub value: f64,
}

/// Gauges by name and label values.
type Gauges = HashMap<(&'static str, Vec<String>), Gauge>;

struct Inner {
    recorder: PrometheusRecorder,
    process: Collector,
    /// Gauges of the last update.
    last_sampled: Mutex<Gauges>,
    /// Number of recorded durations that are not sorted into buckets yet.
    unsorted: AtomicU32,
}

/// Maximum number of unsorted durations, at eight bytes each.
const MAX_UNSORTED: u32 = 10_000;

/// Upper bounds of histogram buckets in seconds, from a cache hit to the longest
/// deadline.
const BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

impl Default for Registry {
    fn default() -> Self {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets(BUCKETS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let process = process::describe(&recorder);
        Self(Arc::new(Inner { recorder, process, last_sampled: Mutex::default(), unsorted: AtomicU32::new(0) }))
    }
}

impl Registry {
    /// Returns the counter with this name and these labels.
    pub fn counter(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Counter {
        self.0.recorder.describe_counter(name.into(), None, help.into());
        self.0.recorder.register_counter(&key(name, labels), &METADATA)
    }

    /// Returns the gauge with this name and these labels.
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
        self.0.recorder.describe_gauge(name.into(), None, help.into());
        self.0.recorder.register_gauge(&key(name, labels), &METADATA)
    }

    /// Returns the histogram of seconds with this name and these labels.
    pub fn histogram(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Histogram {
        self.0.recorder.describe_histogram(name.into(), None, help.into());
        self.0.recorder.register_histogram(&key(name, labels), &METADATA)
    }

    /// Sets gauges. A gauge of the previous update without a sample becomes NaN,
    /// because a registered series cannot be removed.
    pub fn update_gauges(&self, samples: impl IntoIterator<Item = GaugeSample>) {
        let mut shown = self.0.last_sampled.lock();
        let mut missing = mem::take(&mut *shown);
        for GaugeSample { name, help, labels, value } in samples {
            let borrowed: Vec<_> = labels.iter().map(|(label, value)| (*label, value.as_str())).collect();
            let gauge = self.gauge(name, help, &borrowed);
            gauge.set(value);
            let key = (name, labels.into_iter().map(|(_, value)| value).collect());
            missing.remove(&key);
            shown.insert(key, gauge);
        }
        for gauge in missing.values() {
            gauge.set(f64::NAN);
        }
    }

    /// Records a duration in seconds. Recorded durations stay in memory until they
    /// are sorted into buckets, so this method sorts them regularly.
    pub fn record(&self, histogram: &Histogram, seconds: f64) {
        histogram.record(seconds);
        if self.0.unsorted.fetch_add(1, Relaxed) == MAX_UNSORTED {
            self.0.unsorted.store(0, Relaxed);
            self.0.recorder.handle().run_upkeep();
        }
    }

    /// Renders all metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        process::collect(&self.0.process, &self.0.recorder);
        self.0.recorder.handle().render()
    }
}

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    let labels: Vec<_> = labels.iter().map(|&(name, value)| Label::new(name, value.to_owned())).collect();
    Key::from_parts(name, labels)
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry")
    }
}
