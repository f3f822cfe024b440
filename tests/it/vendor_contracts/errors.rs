//! Errors of the sandbox, checked against the contracts.

use std::collections::BTreeSet;

use customer_gateway::sandbox::{Fault, Options, Sandbox};
use http::{Request, header::AUTHORIZATION};

use super::simulated::Simulated;

/// Targets without a result, one for each operation of Tolt and of the
/// corporation vendor.
const UNKNOWN: [&[&str]; 2] = [
    &["/v1/customers?program_id=another", "/v1/customers/nobody", "/v1/transactions?program_id=another"],
    &["/customers?corporation_id=another", "/customers/nobody"],
];

const REFUSED_BY_TOLT: &[&str] = &[
    "/v1/customers",
    "/v1/customers?program_id=",
    "/v1/customers?program_id=PRG&program_id=PRG",
    "/v1/customers?program_id=PRG&limit=0",
    "/v1/customers?program_id=PRG&limit=101",
    "/v1/customers?program_id=PRG&order=up",
    "/v1/customers?program_id=PRG&status=gone",
    "/v1/customers?program_id=PRG&created_gte=yesterday",
    "/v1/customers?program_id=PRG&created_lte=2025-01-01",
    "/v1/customers?program_id=PRG&expand[]=stats",
    "/v1/customers?program_id=PRG&starting_after=nobody",
    "/v1/customers?program_id=PRG&ending_before=nobody",
    "/v1/customers?program_id=PRG&starting_after=a&ending_before=b",
    "/v1/customers?program_id=PRG&search=",
    "/v1/customers?program_id=PRG&email=jim@example.com",
    "/v1/customers/cust_1?include[]=partner",
    "/v1/transactions?program_id=PRG&status=paid",
    "/v1/transactions?program_id=PRG&starting_after=nobody",
];

const REFUSED_BY_CORPORATION: &[&str] = &[
    "/customers",
    "/customers?corporation_id=",
    "/customers?corporation_id=CORP&limit=0",
    "/customers?corporation_id=CORP&limit=ten",
    "/customers?corporation_id=CORP&cursor=made-up",
    "/customers?corporation_id=CORP&has_exemption=yes",
    "/customers?corporation_id=CORP&extend=everything",
    "/customers?corporation_id=CORP&source_platforms=a,,b",
    "/customers?corporation_id=CORP&name=a&name=b",
    "/customers?corporation_id=CORP&order=asc",
    "/customers/cust_1?limit=1",
];

#[tokio::test]
async fn refused_requests_match_contract() {
    let (sandbox, [tolt, corporation]) = vendors(unlimited()).await;
    let cases = [
        (tolt, ("PRG", sandbox.tolt().program_id().to_owned()), REFUSED_BY_TOLT),
        (corporation, ("CORP", sandbox.corporation().corporation_id().to_owned()), REFUSED_BY_CORPORATION),
    ];
    for (simulated, (placeholder, account), targets) in cases {
        for target in targets {
            let request = simulated.request(&target.replace(placeholder, &account));
            assert_eq!(simulated.send_documented(&request).await.status(), 400, "{target}");
        }
    }
}

#[tokio::test]
async fn unknown_customers_and_accounts_match_contract() {
    let (_sandbox, both) = vendors(unlimited()).await;
    for (simulated, targets) in both.iter().zip(UNKNOWN) {
        for target in targets {
            assert_eq!(simulated.send_documented(&simulated.request(target)).await.status(), 404, "{target}");
        }
    }
}

#[tokio::test]
async fn refused_credentials_match_contract() {
    let (_sandbox, both) = vendors(unlimited()).await;
    for (simulated, targets) in both.iter().zip(UNKNOWN) {
        for target in targets {
            let bare = Request::get(*target).body(()).unwrap();
            assert_eq!(simulated.send_documented(&bare).await.status(), 401, "{target}");
            for credential in ["Bearer wrong", "Basic c2s6"] {
                let request = Request::get(*target).header(AUTHORIZATION, credential).body(()).unwrap();
                assert_eq!(simulated.send_documented(&request).await.status(), 401, "{target}: {credential}");
            }
        }
    }
}

#[tokio::test]
async fn rate_limits_match_contract() {
    let (_sandbox, both) = vendors(Options::default()).await;
    for (simulated, targets) in both.iter().zip(UNKNOWN) {
        let mut statuses = BTreeSet::new();
        // Requests without a pause soon exceed either rate limit.
        while !statuses.contains(&429) {
            let answer = simulated.send_documented(&simulated.request(targets[0])).await;
            statuses.insert(answer.status().as_u16());
        }
        assert_eq!(statuses, [404, 429].into());
    }
}

#[tokio::test]
async fn failures_match_contract() {
    let (_sandbox, both) = vendors(Options { error_rate: 1.0, ..unlimited() }).await;
    for (simulated, targets) in both.iter().zip(UNKNOWN) {
        let mut statuses = BTreeSet::new();
        for target in targets.iter().cycle().take(90) {
            let answer = simulated.send_documented(&simulated.request(target)).await;
            statuses.insert(answer.status().as_u16());
        }
        assert_eq!(statuses, [429, 500, 502, 503].into());
    }
}

#[tokio::test]
async fn sandbox_returns_every_declared_error() {
    let (sandbox, both) = vendors(unlimited()).await;
    let fail: [&dyn Fn(Fault); 2] =
        [&|fault| sandbox.tolt().fail_next(1, fault), &|fault| sandbox.corporation().fail_next(1, fault)];
    for ((simulated, targets), fail_next) in both.iter().zip(UNKNOWN).zip(fail) {
        for target in targets {
            let request = simulated.request(target);
            let declared: Vec<_> = simulated.contract.operation(&request).unwrap().statuses().collect();
            assert_eq!(declared, ["200", "400", "401", "403", "404", "429", "5XX"], "{target}");
            for status in [400, 401, 403, 404, 429, 504] {
                fail_next(Fault::Status(status));
                assert_eq!(simulated.send_documented(&request).await.status(), status);
            }
        }
    }
}

/// Starts vendors with one row in each list.
async fn vendors(options: Options) -> (Sandbox, [Simulated; 2]) {
    let few = Options { tolt_customers: 1, tolt_transactions: 1, corporation_customers: 1, ..options };
    let sandbox = Sandbox::start(few).await.unwrap();
    let both = [Simulated::tolt(&sandbox), Simulated::corporation(&sandbox)];
    (sandbox, both)
}

fn unlimited() -> Options {
    Options { enforce_rate_limits: false, ..Options::default() }
}
