//! Registry of metrics, rendered in Prometheus' text format.

use std::{collections::HashMap, mem, sync::Arc};

use metrics::{Counter, Gauge, Key, Label};
use metrics_process::Collector;
use parking_lot::Mutex;

pub use super::histogram::Histogram;
pub(crate) use super::metric_cache::MetricCache;
use super::{families::Families, process};

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
    families: Families,
    process: Collector,
    /// Gauges of the last update.
    last_sampled: Mutex<Gauges>,
}

impl Default for Registry {
    fn default() -> Self {
        let families = Families::default();
        let process = process::describe(&families);
        Self(Arc::new(Inner { families, process, last_sampled: Mutex::default() }))
    }
}

impl Registry {
    /// Returns the counter with this name and these labels.
    pub fn counter(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Counter {
        self.0.families.counter(&key(name, labels), Some(help))
    }

    /// Returns the gauge with this name and these labels.
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
        self.0.families.gauge(&key(name, labels), Some(help))
    }

    /// Returns the histogram of durations with this name and these labels.
    #[must_use]
    pub fn histogram(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Histogram {
        self.0.families.histogram(&key(name, labels), Some(help))
    }

    /// Sets gauges. A gauge of the previous update without a sample becomes NaN.
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
        process::collect(&self.0.process, &self.0.families);
        self.0.families.render()
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
