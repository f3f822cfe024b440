//! Every row and every page of the sandbox is one that its vendor documents.

use std::collections::BTreeSet;

use customer_gateway::sandbox::{Envelope, Options, Sandbox};

use super::{
    asked::{Combined, calls, retrievals, whole_lists},
    simulated::Simulated,
};

#[tokio::test]
async fn every_answer_to_an_adapters_call_is_in_the_contract() {
    let (_sandboxes, held) = vendors(10).await;
    for Held { simulated, .. } in held {
        let mut statuses = BTreeSet::new();
        for call in calls(simulated.adapter.capabilities(), Combined::Alone) {
            if let Some(answer) = simulated.call(&call).await {
                statuses.insert(answer.status().as_u16());
            }
        }
        // The places and the customers that were asked for are made up.
        assert_eq!(statuses, [200, 400, 404].into());
    }
}

#[tokio::test]
async fn every_row_of_a_list_is_in_the_contract_however_it_is_expanded() {
    // Enough for each oddity that the sandbox sprinkles in.
    let (_sandboxes, held) = vendors(1_000).await;
    for Held { simulated, .. } in held {
        for call in whole_lists(simulated.adapter.capabilities()) {
            assert_eq!(simulated.walk(&call).await, (10, 1_000), "{call:?}");
        }
    }
}

#[tokio::test]
async fn every_customer_by_itself_is_in_the_contract_however_it_is_expanded() {
    let (_sandboxes, held) = vendors(150).await;
    for Held { simulated, customers } in held {
        for id in customers {
            for call in retrievals(simulated.adapter.capabilities(), &id) {
                assert_eq!(simulated.page(&call).await.id(0), id);
            }
        }
    }
}

/// A vendor, and the ids of its customers.
struct Held {
    simulated: Simulated,
    customers: Vec<String>,
}

/// Tolt, and the corporation vendor in both of its envelopes, each with so many
/// rows of a kind.
async fn vendors(rows: usize) -> ([Sandbox; 2], [Held; 3]) {
    let [wrapped, flat] = [Envelope::Wrapped, Envelope::Flat].map(|envelope| Options {
        tolt_customers: rows,
        tolt_transactions: rows,
        corporation_customers: rows,
        enforce_rate_limits: false,
        envelope,
        ..Options::default()
    });
    let sandboxes = [Sandbox::start(wrapped).await.unwrap(), Sandbox::start(flat).await.unwrap()];
    let corporation = |sandbox: &Sandbox| Held {
        simulated: Simulated::corporation(sandbox),
        customers: sandbox.corporation().customers().into_iter().map(|customer| customer.id).collect(),
    };
    let tolt = Held {
        simulated: Simulated::tolt(&sandboxes[0]),
        customers: sandboxes[0].tolt().customers().into_iter().map(|customer| customer.id).collect(),
    };
    let held = [tolt, corporation(&sandboxes[0]), corporation(&sandboxes[1])];
    (sandboxes, held)
}
