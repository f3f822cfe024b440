//! Histograms of durations, with fixed buckets.
//!
//! The histograms of `metrics-exporter-prometheus` store every sample, and sort all
//! samples during one request. These histograms count a sample when it is
//! recorded.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use metrics_exporter_prometheus::{LabelSet, formatting::write_metric_line};

/// Upper bounds of the buckets in microseconds, and in seconds as text: from a cache
/// hit to the longest deadline.
const BOUNDS: [(u64, &str); 15] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
    (10_000_000, "10"),
    (30_000_000, "30"),
];

/// Histogram of durations. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Histogram(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Number of durations by bucket. The last bucket has no upper bound.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    /// Sum of the durations in nanoseconds.
    sum: AtomicU64,
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&self, duration: Duration) {
        let bucket = BOUNDS.iter().position(|(bound, _)| duration <= Duration::from_micros(*bound));
        if let Some(count) = self.0.buckets.get(bucket.unwrap_or(BOUNDS.len())) {
            count.fetch_add(1, Relaxed);
        }
        self.0.sum.fetch_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Appends the lines of the series in Prometheus' text format.
    pub(super) fn render(&self, name: &str, labels: &LabelSet, text: &mut String) {
        let mut total = 0;
        let bounds = BOUNDS.iter().map(|(_, text)| *text).chain(["+Inf"]);
        for (count, bound) in self.0.buckets.iter().zip(bounds) {
            total += count.load(Relaxed);
            write_metric_line(text, name, Some("bucket"), labels, Some(("le", bound)), total, None);
        }
        let sum = Duration::from_nanos(self.0.sum.load(Relaxed)).as_secs_f64();
        write_metric_line::<&str, _>(text, name, Some("sum"), labels, None, sum, None);
        write_metric_line::<&str, _>(text, name, Some("count"), labels, None, total, None);
    }
}

#[cfg(test)]
mod tests {
    use metrics::{Key, Label};

    use super::*;

    #[test]
    fn durations_count_in_their_buckets() {
        let key = Key::from_parts("wait_seconds", vec![Label::new("route", "a\"b")]);
        let labels = LabelSet::from_key_and_global(&key, &std::iter::empty().collect());
        let histogram = Histogram::default();
        for micros in [0, 500, 501, 1_000_000, 30_000_001] {
            histogram.clone().record(Duration::from_micros(micros));
        }
        assert_eq!(histogram.0.buckets[1].load(Relaxed), 1);

        let mut text = String::new();
        histogram.render("wait_seconds", &labels, &mut text);
        for line in [
            r#"wait_seconds_bucket{route="a\"b",le="0.0005"} 2"#,
            r#"wait_seconds_bucket{route="a\"b",le="0.001"} 3"#,
            r#"wait_seconds_bucket{route="a\"b",le="1"} 4"#,
            r#"wait_seconds_bucket{route="a\"b",le="30"} 4"#,
            r#"wait_seconds_bucket{route="a\"b",le="+Inf"} 5"#,
            r#"wait_seconds_sum{route="a\"b"} 31.001002"#,
            r#"wait_seconds_count{route="a\"b"} 5"#,
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
    }
}
