//! Metrics: registered once where they are counted, rendered for Prometheus.

use std::sync::Arc;

use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

/// Where metrics are registered. A gateway has its own, so that several may
/// run in one process. Clones share it.
#[derive(Clone)]
pub struct Registry(Arc<PrometheusRecorder>);

impl Default for Registry {
    fn default() -> Self {
        Self(Arc::new(PrometheusBuilder::new().build_recorder()))
    }
}

impl Registry {
    /// A counter, the same for the same name and labels.
    pub fn counter(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Counter {
        self.0.describe_counter(name.into(), None, help.into());
        self.0.register_counter(&key(name, labels), &METADATA)
    }

    /// A gauge, the same for the same name and labels.
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
        self.0.describe_gauge(name.into(), None, help.into());
        self.0.register_gauge(&key(name, labels), &METADATA)
    }

    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.handle().render()
    }
}

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
