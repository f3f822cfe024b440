//! Harness that calls an adapter and gives it a fixture as the vendor's
//! response.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use customer_gateway::{
    domain::{
        anchor::Anchor,
        filter::Filter,
        page::RecordPage,
        query::{Expansion, ListQuery, Resource, Retrieval, Shape},
    },
    vendors::{
        Account, Call, VendorError, VendorResponse,
        kind::VendorKind,
        plan::{Plan, PlanError, RetrievalPlan},
        registry::by_name,
    },
};

use super::outcome::{describe, refusal};

/// Statuses each refusal fixture is read with.
const STATUSES: &[u16] = &[200, 400, 401, 403, 404, 408, 422, 429, 500, 502, 503];

/// Connection whose adapter is tested.
#[derive(Clone, Copy)]
pub(crate) struct Connection {
    pub(crate) kind: &'static VendorKind,
    pub(crate) name: &'static str,
    pub(crate) account_id: &'static str,
}

/// One call of a connection's adapter.
pub(crate) struct AdapterCall {
    connection: Connection,
    call: Call,
}

/// Tolt, with the program id of the examples in its documentation.
pub(crate) fn tolt() -> Connection {
    Connection { kind: by_name("tolt").unwrap(), name: "affiliates", account_id: "prg_YRsbPDAKhWfdqJbFACheh" }
}

/// The corporation vendor, with the corporation id of the example in its
/// documentation.
pub(crate) fn corporation() -> Connection {
    Connection { kind: by_name("corporation").unwrap(), name: "tax", account_id: "corp_123" }
}

/// All customers.
pub(crate) fn customers() -> ListQuery {
    customers_with(Filter::default())
}

/// Customers that match a filter.
pub(crate) fn customers_with(filter: Filter) -> ListQuery {
    ListQuery { resource: Resource::Customers, filter, order: None, shape: Shape::default() }
}

/// All transactions.
pub(crate) fn transactions() -> ListQuery {
    ListQuery { resource: Resource::Transactions, ..customers() }
}

/// Shape with these expansions.
pub(crate) fn expanding(expand: &[Expansion]) -> Shape {
    Shape { expand: expand.to_vec(), raw: false }
}

/// Shape with the vendor's raw object.
pub(crate) fn with_raw() -> Shape {
    Shape { expand: Vec::new(), raw: true }
}

/// Reads a fixture's bytes.
pub(crate) fn fixture(vendor: &str, name: &str) -> Bytes {
    let path = fixtures(vendor).join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

impl Connection {
    pub(crate) fn plan(self, question: &ListQuery) -> Result<Plan, PlanError> {
        Plan::new(self.kind.capabilities, question)
    }

    /// Call for the first page of a list.
    pub(crate) fn list(self, question: &ListQuery) -> AdapterCall {
        let plan = self.plan(question).unwrap();
        AdapterCall { connection: self, call: Call::List(Arc::new(plan), Anchor::Start) }
    }

    pub(crate) fn retrieval(self, id: &str, shape: Shape) -> Result<RetrievalPlan, PlanError> {
        RetrievalPlan::new(self.kind.capabilities, &Retrieval { vendor_id: id.to_owned(), shape })
    }

    /// Call for one customer.
    pub(crate) fn retrieve(self, id: &str, shape: Shape) -> AdapterCall {
        let plan = self.retrieval(id, shape).unwrap();
        AdapterCall { connection: self, call: Call::Retrieve(Arc::new(plan)) }
    }

    /// Snapshots the error for a body, with every status and for every kind of
    /// call.
    #[track_caller]
    pub(crate) fn assert_refusals(self, name: &str) {
        let calls = [
            ("first page", self.list(&customers())),
            ("later page", self.list(&customers()).at(self.later_page())),
            ("one customer", self.retrieve("cust_1", Shape::default())),
        ];
        let body = fixture(self.kind.name, name);
        let mut said = Vec::new();
        let mut lines = Vec::new();
        for &status in STATUSES {
            for (what, asked) in &calls {
                let error = asked.read(status, &body).unwrap_err();
                lines.push(format!("{status} {what}: {error}"));
                if let Some(refusal) = refusal(&error) {
                    assert_eq!(refusal.status, status);
                    said.push(format!("code: {:?}\nmessage: {:?}\n", refusal.code, refusal.message));
                }
            }
        }
        // The code and message are the same for every status and call.
        said.dedup();
        self.snapshot(name, &[said, lines].concat().join("\n"));
    }

    fn later_page(self) -> Anchor {
        match self.kind.name {
            "tolt" => Anchor::After("cust_1".into()),
            _ => Anchor::Token("c1".into()),
        }
    }

    fn snapshot(self, name: &str, text: &str) {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(fixtures(self.kind.name));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_description(format!("tests/fixtures/{}/{name}", self.kind.name));
        settings.bind(|| insta::assert_snapshot!(stem, text));
    }
}

impl AdapterCall {
    /// The same list, at another anchor.
    pub(crate) fn at(self, anchor: Anchor) -> Self {
        let Call::List(plan, _) = self.call else { panic!("only lists have pages") };
        Self { call: Call::List(plan, anchor), ..self }
    }

    /// Returns the request target, or the error if there is no request.
    pub(crate) fn request(&self) -> String {
        match self.adapter().request(&self.call) {
            Ok(request) if request.query.is_empty() => request.path,
            Ok(request) => format!("{}?{}", request.path, request.query),
            Err(error) => format!("{error:?}"),
        }
    }

    /// Reads a response with the adapter.
    pub(crate) fn read(&self, status: u16, body: &Bytes) -> Result<RecordPage, VendorError> {
        self.adapter().read(&self.call, &VendorResponse { status, body: body.clone() })
    }

    /// Undocumented fields of a response, as `object.name`.
    pub(crate) fn unknown_fields(&self, body: &Bytes) -> Vec<String> {
        let unknown = self.adapter().unknown_fields(&self.call, &VendorResponse { status: 200, body: body.clone() });
        unknown.into_iter().map(|it| format!("{}.{}", it.object, it.name.as_deref().unwrap_or("?"))).collect()
    }

    /// Reads a fixture with HTTP 200.
    pub(crate) fn read_fixture(&self, name: &str) -> Result<RecordPage, VendorError> {
        self.read(200, &fixture(self.connection.kind.name, name))
    }

    /// Snapshots the result of reading a fixture with HTTP 200.
    #[track_caller]
    pub(crate) fn assert_fixture(&self, name: &str) {
        self.assert_fixture_with_status(200, name);
    }

    /// Snapshots the result of reading a fixture with a status.
    #[track_caller]
    pub(crate) fn assert_fixture_with_status(&self, status: u16, name: &str) {
        let body = fixture(self.connection.kind.name, name);
        let answered = self.read(status, &body);
        let unknown = if answered.is_ok() { self.unknown_fields(&body) } else { Vec::new() };
        let mut lines = vec![format!("GET {}", self.request()), status.to_string(), String::new()];
        lines.extend(unknown.iter().map(|field| format!("unknown field: {field}")));
        lines.push(describe(&answered));
        self.connection.snapshot(name, &lines.join("\n"));
    }

    fn adapter(&self) -> Box<dyn customer_gateway::vendors::Vendor> {
        let Connection { kind, name, account_id } = self.connection;
        (kind.adapter)(Account { connection: name.parse().unwrap(), id: account_id.to_owned() })
    }
}

fn fixtures(vendor: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", vendor].iter().collect()
}
