//! Detection of undocumented fields and values in vendor responses.
//!
//! Undocumented fields and values are counted and logged once by name, so API
//! changes are noticed early. Values are checked in each response and are never
//! logged. Fields require a second parse of the response, which costs about as much
//! as the first. A new field is usually in most rows. Therefore one response a minute of each kind is inspected for fields.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use metrics::Counter;
use parking_lot::Mutex;

use crate::{
    clock::SharedClock,
    domain::{connection::ConnectionName, query::Resource},
    telemetry::metrics::Registry,
    vendors::{
        Call,
        documented::{Documented, UnknownField},
    },
};

/// Minimum time between two inspected responses of the same kind.
const INSPECTION_INTERVAL: Duration = Duration::from_mins(1);
/// Maximum number of fields of a connection that are logged.
const MAX_LOGGED_FIELDS: usize = 48;

/// Drift detection for one connection.
pub(super) struct DriftDetector {
    connection: ConnectionName,
    registry: Registry,
    clock: SharedClock,
    /// Time of the last inspection, by kind of response.
    inspected: Mutex<HashMap<Kind, Duration>>,
    logged: Mutex<Logged>,
}

/// Kind of response: the rows of a list, or `None` for a single customer.
type Kind = Option<Resource>;

/// Fields and values that were logged.
#[derive(Default)]
struct Logged {
    fields: BTreeSet<UnknownField>,
    values: BTreeSet<String>,
}

impl DriftDetector {
    pub(super) fn new(
        connection: ConnectionName,
        documented: &Documented,
        registry: &Registry,
        clock: SharedClock,
    ) -> Self {
        let registry = registry.clone();
        let detector = Self { connection, registry, clock, inspected: Mutex::default(), logged: Mutex::default() };
        // Alerts on an increase require a series that starts at zero.
        for object in documented.objects {
            detector.field_counter(object.name).increment(0);
        }
        for field in documented.fields {
            detector.value_counter(field.name).increment(0);
        }
        detector
    }

    /// Counts undocumented values of a field.
    pub(super) fn record_values(&self, field: &str, count: u32) {
        self.value_counter(field).increment(count.into());
        let mut logged = self.logged.lock();
        if !logged.values.contains(field) {
            tracing::warn!(connection = %self.connection, field, "vendor sent an undocumented value");
            logged.values.insert(field.to_owned());
        }
    }

    /// Returns true if the response to a call is due for inspection. The next
    /// response of the same kind is due after `INSPECTION_INTERVAL`.
    pub(super) fn should_inspect(&self, call: &Call) -> bool {
        let kind = match call {
            Call::List(plan, _) => Some(plan.resource),
            Call::Retrieve(_) => None,
        };
        let now = self.clock.elapsed();
        let mut inspected = self.inspected.lock();
        let is_due = inspected.get(&kind).is_none_or(|&last| now.saturating_sub(last) >= INSPECTION_INTERVAL);
        if is_due {
            inspected.insert(kind, now);
        }
        is_due
    }

    /// Counts an undocumented field of an inspected response.
    pub(super) fn record_field(&self, field: UnknownField) {
        self.field_counter(field.object).increment(1);
        let mut logged = self.logged.lock();
        if logged.fields.len() < MAX_LOGGED_FIELDS && !logged.fields.contains(&field) {
            tracing::warn!(
                connection = %self.connection,
                object = field.object,
                field = field.name,
                "vendor sent an undocumented field"
            );
            logged.fields.insert(field);
        }
    }

    fn field_counter(&self, object: &'static str) -> Counter {
        let labels = &[("connection", self.connection.as_str()), ("object", object)];
        let help = "Undocumented fields, counted once per inspected vendor response.";
        self.registry.counter("gateway_unknown_fields_total", help, labels)
    }

    fn value_counter(&self, field: &str) -> Counter {
        let labels = &[("connection", self.connection.as_str()), ("field", field)];
        let help = "Undocumented values, served unchanged.";
        self.registry.counter("gateway_unknown_values_total", help, labels)
    }
}
