//! What a client meets: vendors that behave, fail, refuse and drift, and a
//! gateway of a later version.

use std::{num::NonZeroU32, time::Duration};

use customer_gateway::{
    callers::{Caller, Quota},
    clock::SystemClock,
    config::Connection,
    sandbox::Sandbox,
};
use serde_json::{Value, json};

use crate::support::{
    ACCOUNT, Gateway, Reply, SECRET, ScriptedVendor, caller, config, connection, connections_to, corporation_page,
    sandbox, tolt_page,
};

/// The key that the client has.
pub(super) const KEY: &str = "a-key-of-a-client";
/// The key of another, whose quota is spent.
pub(super) const SPENT_KEY: &str = "a-key-of-a-spender";

pub(super) struct Stage {
    pub(super) gateway: Gateway,
    /// Answers `GET /customers` as a gateway of a later version would: with
    /// members that the document does not have, in every object.
    pub(super) later: ScriptedVendor,
    #[expect(dead_code, reason = "held to be stopped when dropped")]
    vendors: (Sandbox, [ScriptedVendor; 4]),
}

impl Stage {
    /// Starts a gateway in front of these connections:
    ///
    /// - `affiliates`: Tolt, with 10,000 customers and 2,000 transactions
    /// - `tax`: the corporation vendor, with 2,500 customers
    /// - `failing`: a vendor that answers 500; the breaker opens at the second question
    /// - `limited`: a vendor that answers 429, to be asked again in a minute
    /// - `drifting`, `drifting-tax`: vendors that send members, and Tolt a status,
    ///   that their pages do not have, and leave out what they can
    ///
    /// One caller may ask them all, and one has asked once and may not do so
    /// again for an hour.
    pub(super) async fn start() -> Self {
        let sandbox = sandbox(10_000, 2_000, 2_500).await;
        let failing = ScriptedVendor::start(|_, _| Reply::text(500, "{}")).await;
        let limited = ScriptedVendor::start(|_, _| Reply::with_headers(429, "retry-after: 60\r\n", b"{}")).await;
        let drifting = ScriptedVendor::saying(drifting()).await;
        let drifting_tax = ScriptedVendor::saying(drifting_tax()).await;

        let mut connections = connections_to(&sandbox);
        connections.extend([
            to("failing", "tolt", &failing),
            to("limited", "tolt", &limited),
            to("drifting", "tolt", &drifting),
            to("drifting-tax", "corporation", &drifting_tax),
        ]);
        let names: Vec<_> = connections.iter().map(|connection| connection.name.to_string()).collect();
        let mut config = config(connections);
        config.callers.push(caller("client", KEY, &names.iter().map(String::as_str).collect::<Vec<_>>()));
        let quota = Some(Quota { requests: NonZeroU32::MIN, per: Duration::from_hours(1) });
        config.callers.push(Caller { quota, ..caller("spender", SPENT_KEY, &["tax"]) });
        let gateway = Gateway::start_on(SystemClock::shared(), config).await;
        gateway.get_as(SPENT_KEY, "/connections").await.ok();

        let mut page = gateway.get_as(KEY, "/customers?connection=tax&limit=2&expand=exemption").await.ok();
        add_member(&mut page);
        Self {
            gateway,
            later: ScriptedVendor::saying(page).await,
            vendors: (sandbox, [failing, limited, drifting, drifting_tax]),
        }
    }
}

fn to(name: &str, kind: &str, vendor: &ScriptedVendor) -> Connection {
    connection(name, kind, &vendor.base_url, SECRET, ACCOUNT)
}

/// Three customers: one with more than the vendor's pages have, one whose
/// members are null, and one with as few as can be read.
fn drifting() -> Value {
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

fn drifting_tax() -> Value {
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

/// Adds a member that nobody knows to every object.
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
