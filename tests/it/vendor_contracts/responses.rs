//! Responses of the sandbox, checked against the contracts.

use std::collections::BTreeSet;

use customer_gateway::sandbox::{Envelope, Options, Sandbox};

use super::{
    calls::{Combinations, calls, retrievals, whole_lists},
    simulated::Simulated,
};

#[tokio::test]
async fn adapter_call_responses_match_contract() {
    let (_sandboxes, populated) = vendors(10).await;
    for PopulatedVendor { simulated, .. } in populated {
        let mut statuses = BTreeSet::new();
        for call in calls(simulated.kind.capabilities, Combinations::Single) {
            if let Some(answer) = simulated.call(&call).await {
                statuses.insert(answer.status().as_u16());
            }
        }
        // The anchors and the customer ids are invented.
        assert_eq!(statuses, [200, 400, 404].into());
    }
}

#[tokio::test]
async fn list_rows_match_contract_in_every_expansion() {
    // Enough rows for each irregular value that the sandbox generates.
    let (_sandboxes, populated) = vendors(1_000).await;
    for PopulatedVendor { simulated, .. } in populated {
        for call in whole_lists(simulated.kind.capabilities) {
            assert_eq!(simulated.walk(&call).await, (10, 1_000), "{call:?}");
        }
    }
}

#[tokio::test]
async fn customers_match_contract_in_every_expansion() {
    let (_sandboxes, populated) = vendors(150).await;
    for PopulatedVendor { simulated, customers } in populated {
        for id in customers {
            for call in retrievals(simulated.kind.capabilities, &id) {
                assert_eq!(simulated.page(&call).await.id(0), id);
            }
        }
    }
}

/// Simulated vendor, with the ids of its customers.
struct PopulatedVendor {
    simulated: Simulated,
    customers: Vec<String>,
}

/// Starts Tolt and the corporation vendor in both of its envelopes, with `rows`
/// rows in each list.
async fn vendors(rows: usize) -> ([Sandbox; 2], [PopulatedVendor; 3]) {
    let [wrapped, flat] = [Envelope::Wrapped, Envelope::Flat].map(|envelope| Options {
        tolt_customers: rows,
        tolt_transactions: rows,
        corporation_customers: rows,
        enforce_rate_limits: false,
        envelope,
        ..Options::default()
    });
    let sandboxes = [Sandbox::start(wrapped).await.unwrap(), Sandbox::start(flat).await.unwrap()];
    let corporation = |sandbox: &Sandbox| PopulatedVendor {
        simulated: Simulated::corporation(sandbox),
        customers: sandbox.corporation().customers().into_iter().map(|customer| customer.id).collect(),
    };
    let tolt = PopulatedVendor {
        simulated: Simulated::tolt(&sandboxes[0]),
        customers: sandboxes[0].tolt().customers().into_iter().map(|customer| customer.id).collect(),
    };
    let populated = [tolt, corporation(&sandboxes[0]), corporation(&sandboxes[1])];
    (sandboxes, populated)
}
