//! Registry of metrics, rendered in Prometheus' text format.

use std::{
    collections::{HashMap, HashSet},
    iter, mem,
    sync::Arc,
};

use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{LabelSet, PrometheusBuilder, PrometheusRecorder};
use metrics_process::Collector;
use parking_lot::Mutex;

pub use super::histogram::Histogram;
use super::{histogram::Histograms, process};

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
    histograms: Histograms,
    /// Names with a help string. A metric is described once, not at each lookup.
    described: Mutex<HashSet<&'static str>>,
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

impl Default for Registry {
    fn default() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let process = process::describe(&recorder);
        Self(Arc::new(Inner {
            recorder,
            process,
            last_sampled: Mutex::default(),
            histograms: Histograms::default(),
            described: Mutex::default(),
        }))
    }
}

impl Registry {
    /// Returns the counter with this name and these labels.
    pub fn counter(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Counter {
        if self.is_new(name) {
            self.0.recorder.describe_counter(name.into(), None, help.into());
        }
        self.0.recorder.register_counter(&key(name, labels), &METADATA)
    }

    /// Returns the gauge with this name and these labels.
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
        if self.is_new(name) {
            self.0.recorder.describe_gauge(name.into(), None, help.into());
        }
        self.0.recorder.register_gauge(&key(name, labels), &METADATA)
    }

    /// Returns true at the first use of a metric's name.
    fn is_new(&self, name: &'static str) -> bool {
        self.0.described.lock().insert(name)
    }

    /// Returns the histogram of durations with this name and these labels.
    #[must_use]
    pub fn histogram(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Histogram {
        let labels = LabelSet::from_key_and_global(&key(name, labels), &iter::empty().collect());
        self.0.histograms.register(name, help, labels)
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

    /// Renders all metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        process::collect(&self.0.process, &self.0.recorder);
        let mut text = self.0.recorder.handle().render();
        self.0.histograms.render(&mut text);
        text
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
