//! Environment of the clients: correct, failing, refusing and drifting vendors,
//! and a gateway of a later version.

use std::{num::NonZeroU32, ops::Range, time::Duration};

use customer_gateway::{
    callers::{Caller, Quota},
    clock::SystemClock,
    config::Connection,
    sandbox::Sandbox,
};
use serde_json::{Value, json};

use crate::support::{
    ACCOUNT, Gateway, Reply, SECRET, ScriptedVendor, StageBuilder, Vendors, caller, connection, corporation_page,
    sandbox, tolt_page, tolt_row,
};

/// Key of the client.
pub(super) const KEY: &str = "a-key-of-a-client";
/// Key of another caller, whose quota is exhausted.
pub(super) const SPENT_KEY: &str = "a-key-of-a-spender";
/// Key of the caller of the programs of `docs/CLIENTS.md`, which may use
/// `affiliates`, `tax` and `crowded` and has a quota.
pub(super) const READER_KEY: &str = "a-key-of-a-reader";

/// Calls to `recovering` and `busy` that read all customers.
pub(super) const CALLS_WITH_WAITS: [usize; 2] = [2, 4];

/// Correct, failing, refusing and drifting vendors.
pub(super) struct ClientVendors {
    sandbox: Sandbox,
    failing: ScriptedVendor,
    limited: ScriptedVendor,
    recovering: ScriptedVendor,
    busy: ScriptedVendor,
    crowded: ScriptedVendor,
    quoting: ScriptedVendor,
    drifting: ScriptedVendor,
    drifting_tax: ScriptedVendor,
}

impl ClientVendors {
    async fn start() -> Self {
        Self {
            sandbox: sandbox(10_000, 2_000, 2_500).await,
            failing: ScriptedVendor::start(|_, _| Reply::text(500, "{}")).await,
            limited: ScriptedVendor::start(|_, _| Reply::with_headers(429, "retry-after: 60\r\n", b"{}")).await,
            recovering: failing_calls(&[0], recovered_page).await,
            busy: failing_calls(&[0, 2], busy_page).await,
            crowded: failing_calls(&[0, 2], busy_page).await,
            quoting: ScriptedVendor::replying(quoting_page()).await,
            drifting: ScriptedVendor::replying(drifting_tolt_page()).await,
            drifting_tax: ScriptedVendor::replying(drifting_corporation_page()).await,
        }
    }

    /// Returns the number of calls to `recovering` and `busy`. A program that
    /// reads both lists causes [`CALLS_WITH_WAITS`].
    pub(super) fn calls_with_waits(&self) -> [usize; 2] {
        [self.recovering.calls(), self.busy.calls()]
    }
}

impl Vendors for ClientVendors {
    /// Returns these connections:
    ///
    /// - `affiliates`: Tolt, with 10,000 customers and 2,000 transactions
    /// - `tax`: the corporation vendor, with 2,500 customers
    /// - `failing`: a vendor that answers 500; the second request opens the breaker
    /// - `limited`: a vendor that answers 429 with a `Retry-After` of 60 seconds
    /// - `recovering`: a vendor with 3 customers, whose first call is a 429 with a
    ///   `Retry-After` of one second
    /// - `busy`: a vendor with 150 customers on two pages. The first call for each
    ///   page is such a 429
    /// - `crowded`: another vendor like `busy`
    /// - `quoting`: a vendor whose texts are difficult in CSV
    /// - `drifting`, `drifting-tax`: vendors that send undocumented members, omit
    ///   optional members and, for Tolt, send an undocumented status
    fn connections(&self) -> Vec<Connection> {
        let mut connections = self.sandbox.connections();
        connections.extend([
            scripted("failing", "tolt", &self.failing),
            scripted("limited", "tolt", &self.limited),
            impatient(scripted("recovering", "tolt", &self.recovering)),
            impatient(scripted("busy", "tolt", &self.busy)),
            impatient(scripted("crowded", "tolt", &self.crowded)),
            scripted("quoting", "tolt", &self.quoting),
            scripted("drifting", "tolt", &self.drifting),
            scripted("drifting-tax", "corporation", &self.drifting_tax),
        ]);
        connections
    }
}

/// Returns a stage whose client may use all connections. The caller of
/// [`SPENT_KEY`] has a quota of one request per hour.
pub(super) fn stage() -> StageBuilder<'static, ClientVendors> {
    StageBuilder::new(ClientVendors::start()).clock(SystemClock::shared()).configure(|config| {
        let names: Vec<_> = config.connections.iter().map(|connection| connection.name.to_string()).collect();
        config.callers.push(caller("client", KEY, &names.iter().map(String::as_str).collect::<Vec<_>>()));
        config.callers.push(Caller { quota: hourly(1), ..caller("spender", SPENT_KEY, &["tax"]) });
        let readable = ["affiliates", "tax", "crowded"];
        config.callers.push(Caller { quota: hourly(10_000), ..caller("reader", READER_KEY, &readable) });
    })
}

/// Starts a server that answers `GET /customers` like a gateway of a later
/// version: every object has a member that is not in the document.
pub(super) async fn later_gateway(gateway: &Gateway) -> ScriptedVendor {
    let mut page = gateway.get_as(KEY, "/customers?connection=tax&limit=2&expand=exemption").await.ok();
    add_member(&mut page);
    ScriptedVendor::replying(page).await
}

fn hourly(requests: u32) -> Option<Quota> {
    Some(Quota { requests: NonZeroU32::new(requests)?, per: Duration::from_hours(1) })
}

fn scripted(name: &str, kind: &str, vendor: &ScriptedVendor) -> Connection {
    connection(name, kind, &vendor.base_url, SECRET, ACCOUNT)
}

/// Shortens the wait for a slot, so the client waits for the vendor's rate limit
/// instead of the gateway.
fn impatient(mut connection: Connection) -> Connection {
    connection.rate_limit.max_wait = Duration::from_millis(500);
    connection
}

/// Starts a vendor that answers the calls with these indexes with a 429, and all
/// other calls with a page for the call's target.
async fn failing_calls(indexes: &'static [usize], page: fn(&str) -> Value) -> ScriptedVendor {
    ScriptedVendor::start(move |index, target| {
        if indexes.contains(&index) {
            Reply::with_headers(429, "retry-after: 1\r\n", b"{}")
        } else {
            Reply::json(&page(target))
        }
    })
    .await
}

fn recovered_page(_target: &str) -> Value {
    tolt_page(&tolt_rows(0..3), false)
}

fn busy_page(target: &str) -> Value {
    if target.contains("starting_after=") {
        tolt_page(&tolt_rows(100..150), false)
    } else {
        tolt_page(&tolt_rows(0..100), true)
    }
}

/// Page of customers whose names and ids a CSV writer must quote, a spreadsheet
/// evaluates, or a reader takes for null or a number.
fn quoting_page() -> Value {
    let texts = [
        "a,b",
        "say \"hi\"",
        "two\r\nlines",
        "two\nlines",
        "one\rreturn",
        "next\u{85}line",
        "separated\u{2028}line",
        " padded ",
        "=1+1",
        "007",
        "1e5",
        "NA",
        "null",
        "nan",
        "True",
        "2025-01-15",
        "Zoë 🦀",
        "\\N",
    ];
    let rows = texts.iter().enumerate().map(|(number, text)| {
        let created_at =
            ["2025-01-15T14:30:00Z", "2025-01-15T14:30:00.5Z", "2025-01-15T14:30:00.123456789Z"][number % 3];
        json!({
            "id": format!("cust_{number}"), "program_id": ACCOUNT, "created_at": created_at, "updated_at": null,
            "name": text, "customer_id": text, "email": null,
        })
    });
    tolt_page(&rows.collect::<Vec<_>>(), false)
}

fn tolt_rows(numbers: Range<usize>) -> Vec<Value> {
    numbers.map(|number| tolt_row(&format!("cust_{number}"))).collect()
}

/// Page of three customers: one with undocumented members, one whose members
/// are null, and one with the fewest members that can be read.
fn drifting_tolt_page() -> Value {
    let mut page = tolt_page(
        &[
            json!({
                "id": "cust_more", "program_id": ACCOUNT, "created_at": "2025-01-15T14:30:00.123456789Z",
                "name": "Jim", "status": "hibernating",
                "partner": {"id": "part_1", "status": "dormant"}, "program": {"id": ACCOUNT, "name": "Friends"},
            }),
            json!({
                "id": "cust_null", "program_id": ACCOUNT, "created_at": null, "updated_at": null, "name": null,
                "email": null, "customer_id": null, "status": null, "partner_id": null, "organization_id": null,
            }),
            json!({"id": "cust_less", "program_id": ACCOUNT}),
        ],
        false,
    );
    add_member(&mut page);
    page
}

fn drifting_corporation_page() -> Value {
    let mut page = corporation_page(
        &[
            json!({
                "id": "cust_more", "corporation_id": ACCOUNT, "created_at": 1_736_951_400, "name": "Jim",
                "source_platform": "abacus",
                "shipping_address": {"line1": "1 Main St", "state": null},
                "exemption_metadata": {"total_certificates": 1, "certificate_types": ["VERBAL"]},
            }),
            json!({
                "id": "cust_null", "corporation_id": ACCOUNT, "created_at": 1_736_951_400, "name": null,
                "email": null, "external_id": null, "business_identification_number": null, "source_platform": null,
                "source_platform_id": null, "shipping_address": null, "exemption_metadata": null,
            }),
            json!({"id": "cust_less", "corporation_id": ACCOUNT, "created_at": 1_736_951_400}),
        ],
        None,
    );
    add_member(&mut page);
    page
}

/// Adds an undocumented member to every object.
fn add_member(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(add_member);
            members.insert("unheard_of".to_owned(), json!({"since": 2027, "flags": [true, null]}));
        }
        Value::Array(items) => items.iter_mut().for_each(add_member),
        _ => {}
    }
}
