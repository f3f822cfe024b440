//! Metric families: metrics by name and labels, in Prometheus' text format.
//!
//! The recorder of `metrics-exporter-prometheus` reads a clock, because its metrics may
//! expire. The calibration of the clock takes a quarter to a half of the gateway's start
//! (docs/PERFORMANCE.md). The gateway's metrics do not expire, so this registry has no
//! clock. The library formats the lines.

use std::{
    collections::{BTreeMap, HashMap},
    iter,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use metrics::{Counter, Gauge, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{
    LabelSet,
    formatting::{write_help_line, write_metric_line, write_type_line},
};
use parking_lot::Mutex;

use super::histogram::Histogram;

/// Metric families by name.
#[derive(Default)]
pub(super) struct Families(Mutex<BTreeMap<KeyName, Family>>);

/// Metrics of one name, with their help string. Keys of one name must have one kind.
#[derive(Clone, Default)]
struct Family {
    help: SharedString,
    series: HashMap<Arc<LabelSet>, Series>,
}

/// Metric of one name and labels. Clones share the value.
#[derive(Clone)]
enum Series {
    Counter(Arc<AtomicU64>),
    /// Bits of an `f64`.
    Gauge(Arc<AtomicU64>),
    Histogram(Histogram),
}

impl Families {
    /// Returns the counter with a key, and sets the help string of its name. A counter with
    /// the key of another kind of metric is not rendered.
    pub(super) fn counter(&self, key: &Key, help: Option<&'static str>) -> Counter {
        match self.series(key, help, || Series::Counter(Arc::default())) {
            Series::Counter(value) => Counter::from_arc(value),
            _ => Counter::noop(),
        }
    }

    /// Returns the gauge with a key, and sets the help string of its name. A gauge with the
    /// key of another kind of metric is not rendered.
    pub(super) fn gauge(&self, key: &Key, help: Option<&'static str>) -> Gauge {
        match self.series(key, help, || Series::Gauge(Arc::default())) {
            Series::Gauge(bits) => Gauge::from_arc(bits),
            _ => Gauge::noop(),
        }
    }

    /// Returns the histogram of durations with a key, and sets the help string of its name.
    /// A histogram with the key of another kind of metric is not rendered.
    pub(super) fn histogram(&self, key: &Key, help: Option<&'static str>) -> Histogram {
        match self.series(key, help, || Series::Histogram(Histogram::default())) {
            Series::Histogram(histogram) => histogram,
            _ => Histogram::default(),
        }
    }

    /// Returns all metrics in Prometheus' text format, ordered by name.
    pub(super) fn render(&self) -> String {
        // A copy of the references, so that no lookup waits until all lines are written.
        let families = self.0.lock().clone();
        let mut text = String::new();
        for (name, Family { help, series }) in &families {
            let Some(first) = series.values().next() else { continue };
            if !help.is_empty() {
                write_help_line(&mut text, name.as_str(), None, None, help);
            }
            write_type_line(&mut text, name.as_str(), None, None, first.kind());
            for (labels, series) in series {
                series.render(name.as_str(), labels, &mut text);
            }
            text.push('\n');
        }
        text
    }

    fn series(&self, key: &Key, help: Option<&'static str>, new: impl FnOnce() -> Series) -> Series {
        // There are no global labels.
        let labels = Arc::new(LabelSet::from_key_and_global(key, &iter::empty().collect()));
        let mut families = self.0.lock();
        let family = families.entry(key.name_shared()).or_default();
        if let Some(help) = help {
            family.help = help.into();
        }
        family.series.entry(labels).or_insert_with(new).clone()
    }

    fn describe(&self, name: KeyName, help: SharedString) {
        self.0.lock().entry(name).or_default().help = help;
    }
}

impl Series {
    /// Returns the type in Prometheus' text format.
    fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) => "counter",
            Self::Gauge(_) => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }

    fn render(&self, name: &str, labels: &LabelSet, text: &mut String) {
        match self {
            Self::Counter(value) => {
                write_metric_line::<&str, _>(text, name, None, labels, None, value.load(Relaxed), None);
            }
            Self::Gauge(bits) => {
                let value = f64::from_bits(bits.load(Relaxed));
                write_metric_line::<&str, _>(text, name, None, labels, None, value, None);
            }
            Self::Histogram(histogram) => histogram.render(name, labels, text),
        }
    }
}

/// Used by [`process`](super::process), which has no histograms.
impl Recorder for Families {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(name, help);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(name, help);
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.counter(key, None)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.gauge(key, None)
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}

#[cfg(test)]
mod tests {
    use metrics::Label;

    use super::*;

    fn key(name: &'static str, connection: &'static str) -> Key {
        Key::from_parts(name, vec![Label::new("connection", connection)])
    }

    #[test]
    fn metrics_are_rendered_by_name() {
        let families = Families::default();
        families.describe("unused_total".into(), "Never counted.".into());
        families.gauge(&key("share", "a"), Some("Share.")).set(0.25);
        for _ in 0..2 {
            families.counter(&key("calls_total", "a\n\"b\""), None).increment(1);
        }
        let expected = "# TYPE calls_total counter\ncalls_total{connection=\"a\\n\\\"b\\\"\"} 2\n\n\
            # HELP share Share.\n# TYPE share gauge\nshare{connection=\"a\"} 0.25\n\n";
        assert_eq!(families.render(), expected);
        families.gauge(&key("share", "a"), None).set(f64::NAN);
        assert!(families.render().contains("share{connection=\"a\"} NaN\n"));
    }

    #[test]
    fn key_of_another_kind_counts_nothing() {
        let families = Families::default();
        families.counter(&key("calls_total", "a"), None).increment(1);
        families.gauge(&key("calls_total", "a"), None).set(7.0);
        families.histogram(&key("calls_total", "a"), None).record(std::time::Duration::ZERO);
        assert_eq!(families.render(), "# TYPE calls_total counter\ncalls_total{connection=\"a\"} 1\n\n");
    }
}
