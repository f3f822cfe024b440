//! Metrics: registered once where they are counted, rendered for Prometheus.

use std::{
    collections::HashMap,
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

/// Where metrics are registered. A gateway has its own, so that several may
/// run in one process. Clones share it.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

/// Value of a gauge at the time of a scrape.
#[derive(Debug)]
pub struct GaugeSample {
    /// Name of the metric.
    pub name: &'static str,
    /// Description of the metric.
    pub help: &'static str,
    /// Names and values of the labels.
    pub labels: Vec<(&'static str, String)>,
    /// Value.
    pub value: f64,
}

/// Gauges by their names and their labels' values.
type Gauges = HashMap<(&'static str, Vec<String>), Gauge>;

struct Inner {
    recorder: PrometheusRecorder,
    process: Collector,
    /// Gauges of the last update.
    sampled: Mutex<Gauges>,
    /// How many seconds were recorded since they were last sorted.
    unsorted: AtomicU32,
}

impl Default for Registry {
    fn default() -> Self {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets(SECONDS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let process = process::describe(&recorder);
        Self(Arc::new(Inner { recorder, process, sampled: Mutex::default(), unsorted: AtomicU32::new(0) }))
    }
}

impl Registry {
    /// A counter, the same for the same name and labels.
    pub fn counter(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Counter {
        self.0.recorder.describe_counter(name.into(), None, help.into());
        self.0.recorder.register_counter(&key(name, labels), &METADATA)
    }

    /// A gauge, the same for the same name and labels.
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
        self.0.recorder.describe_gauge(name.into(), None, help.into());
        self.0.recorder.register_gauge(&key(name, labels), &METADATA)
    }

    /// Sets gauges to the samples. A gauge of the last update without a sample
    /// becomes NaN, because the exporter cannot remove a series.
    pub fn update_gauges(&self, samples: impl IntoIterator<Item = GaugeSample>) {
        let mut previous = self.0.sampled.lock();
        let mut current = Gauges::new();
        for GaugeSample { name, help, labels, value } in samples {
            let borrowed: Vec<_> = labels.iter().map(|(label, value)| (*label, value.as_str())).collect();
            let gauge = self.gauge(name, help, &borrowed);
            gauge.set(value);
            let key = (name, labels.into_iter().map(|(_, value)| value).collect());
            previous.remove(&key);
            current.insert(key, gauge);
        }
        previous.values().for_each(|gauge| gauge.set(f64::NAN));
        *previous = current;
    }

    /// A histogram of seconds, the same for the same name and labels.
    pub fn histogram(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Histogram {
        self.0.recorder.describe_histogram(name.into(), None, help.into());
        self.0.recorder.register_histogram(&key(name, labels), &METADATA)
    }

    /// Records seconds. Now and then all that were are sorted into their
    /// buckets, which else would wait for that in memory until the metrics are
    /// rendered.
    pub fn record(&self, histogram: &Histogram, seconds: f64) {
        histogram.record(seconds);
        if self.0.unsorted.fetch_add(1, Relaxed) == MOST_UNSORTED {
            self.0.unsorted.store(0, Relaxed);
            self.0.recorder.handle().run_upkeep();
        }
    }

    /// All metrics in Prometheus' text format, with the process' as they are now.
    #[must_use]
    pub fn render(&self) -> String {
        process::collect(&self.0.process, &self.0.recorder);
        self.0.recorder.handle().render()
    }
}

/// How many seconds may wait to be sorted; each takes eight bytes.
const MOST_UNSORTED: u32 = 10_000;

/// The upper ends of histograms' buckets: from a hit to the longest deadline.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    let labels: Vec<_> = labels.iter().map(|&(name, value)| Label::new(name, value.to_owned())).collect();
    Key::from_parts(name, labels)
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry")
    }
}
