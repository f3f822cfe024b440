//! What a vendor sends and does not document: counted, and named once in the
//! log, so that a change of its API is noticed before a caller asks about it.
//!
//! Values are in every answer's oddities and are never logged. Unknown fields
//! take a reading of their own, which costs as much as the first (77 % of its
//! instructions for a page of 100 customers of Tolt's, 98 % for one of the
//! corporation vendor's), and a new field stands in most rows: so one answer a
//! minute of each kind is looked through.

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

/// One answer in so long is looked through, of each kind.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// The most fields of a connection that the log names.
const MOST_NAMED: usize = 48;

/// Watches one connection's answers.
pub(super) struct DriftDetector {
    connection: ConnectionName,
    registry: Registry,
    clock: SharedClock,
    looked: Mutex<HashMap<Kind, Duration>>,
    named: Mutex<Named>,
}

/// The kind of row that a list was asked for; `None` of a single customer.
type Kind = Option<Resource>;

/// What the log has named.
#[derive(Default)]
struct Named {
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
        let watch =
            Self { connection, registry: registry.clone(), clock, looked: Mutex::default(), named: Mutex::default() };
        // A rise is seen only of a series that was there before.
        for object in documented.objects {
            watch.fields(object.name).increment(0);
        }
        for field in documented.fields {
            watch.values(field.name).increment(0);
        }
        watch
    }

    /// Notes how many values of a field the vendor does not list.
    pub(super) fn note_values(&self, field: &str, count: u32) {
        self.values(field).increment(count.into());
        if self.named.lock().values.insert(field.to_owned()) {
            tracing::warn!(connection = %self.connection, field, "the vendor sends a value that it does not list");
        }
    }

    /// Whether the answer to a call is to be looked through; if so, the next of
    /// its kind are not, for a while.
    pub(super) fn looks_at(&self, call: &Call) -> bool {
        let kind = match call {
            Call::List(plan, _) => Some(plan.resource),
            Call::Retrieve(_) => None,
        };
        let now = self.clock.elapsed();
        let mut looked = self.looked.lock();
        let due = looked.get(&kind).is_none_or(|&last| now.saturating_sub(last) >= LOOK_EVERY);
        if due {
            looked.insert(kind, now);
        }
        due
    }

    /// Notes a field that an answer has and the vendor does not document.
    pub(super) fn note_field(&self, field: UnknownField) {
        self.fields(field.object).increment(1);
        let mut named = self.named.lock();
        if named.fields.len() < MOST_NAMED && !named.fields.contains(&field) {
            tracing::warn!(
                connection = %self.connection,
                object = field.object,
                field = field.name,
                "the vendor sends a field that it does not document"
            );
            named.fields.insert(field);
        }
    }

    fn fields(&self, object: &'static str) -> Counter {
        let labels = &[("connection", self.connection.as_str()), ("object", object)];
        let help = "Fields that the vendor does not document, each once in an answer that was looked through.";
        self.registry.counter("gateway_unknown_fields_total", help, labels)
    }

    fn values(&self, field: &str) -> Counter {
        let labels = &[("connection", self.connection.as_str()), ("field", field)];
        let help = "Values that the vendor does not list, which were served as they stood.";
        self.registry.counter("gateway_unknown_values_total", help, labels)
    }
}
