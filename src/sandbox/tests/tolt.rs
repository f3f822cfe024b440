use super::super::{
    Options, Sandbox, ToltSearch,
    tolt::{Customer, Data, Transaction},
};
use super::{ids, small};

#[tokio::test]
async fn paging_returns_every_row_in_all_directions() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let tolt = sandbox.tolt();
    let oldest_first: Vec<String> = tolt.customers().into_iter().map(|c| c.id).collect();
    let newest_first: Vec<String> = oldest_first.iter().rev().cloned().collect();

    // Descending is the default.
    for (order, expected) in [("", &newest_first), ("&order=asc", &oldest_first)] {
        // The last page is full and has `has_more: false`.
        tolt.reset_calls();
        let mut visited = Vec::new();
        let mut after = String::new();
        loop {
            let body = tolt.list("customers", &format!("{order}&limit=10{after}")).await;
            assert_eq!(body["total_count"], 230);
            visited.extend(ids(&body["data"]["data"]));
            if body["has_more"] == false {
                break;
            }
            after = format!("&starting_after={}", visited.last().unwrap());
        }
        assert_eq!(&visited, expected);
        assert_eq!(tolt.calls(), 23);

        // Backward from the last row: rows of a page are in list order. The last page has one row.
        let mut visited = vec![expected.last().unwrap().clone()];
        loop {
            let before = format!("{order}&limit=12&ending_before={}", visited[0]);
            let body = tolt.list("customers", &before).await;
            visited.splice(0..0, ids(&body["data"]["data"]));
            if body["has_more"] == false {
                break;
            }
        }
        assert_eq!(&visited, expected);
    }
}

#[tokio::test]
async fn search_is_accepted_ignored_or_rejected() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let tolt = sandbox.tolt();
    let emails: Vec<String> = tolt.customers().iter().filter_map(|row| Some(row.email.as_str()?.to_owned())).collect();
    let part = emails[0][1..].to_uppercase();
    let matching = emails.iter().filter(|email| email.to_uppercase().contains(&part)).count();
    let query = format!("&search={part}");
    assert!(matching > 0 && matching < 230);
    assert_eq!(tolt.list("customers", &query).await["total_count"], matching);
    tolt.set_search(ToltSearch::Ignore);
    assert_eq!(tolt.list("customers", &query).await["total_count"], 230);
    tolt.set_search(ToltSearch::Reject);
    let (status, body) = tolt.get(&format!("/v1/customers?program_id={}{query}", tolt.program_id())).await;
    assert_eq!((status, &body["error"]["type"]), (400, &"validation_error".into()));
}

#[tokio::test]
async fn ties_sort_by_id_and_deleted_cursor_fails() {
    let noon = "2025-01-15T12:00:00.000Z";
    let rows = [
        Customer::new("b", noon),
        Customer::new("c", "2025-01-15T13:00:00+01:00"),
        Customer::new("a", noon),
        Customer::new("z", "no date"),
    ];
    let data = super::Data { tolt: Data { customers: rows.into(), ..Data::default() }, ..super::Data::default() };
    let sandbox = Sandbox::start_with(small(), data).await.unwrap();
    let tolt = sandbox.tolt();

    tolt.insert(Customer::new("aa", noon));
    let body = tolt.list("customers", "").await;
    assert_eq!(ids(&body["data"]["data"]), ["c", "b", "aa", "a", "z"]);

    assert!(tolt.delete("aa"));
    assert!(!tolt.delete("aa"));
    let program = tolt.program_id();
    let (status, body) = tolt.get(&format!("/v1/customers?program_id={program}&starting_after=aa")).await;
    assert_eq!((status, &body["error"]["type"]), (400, &"invalid_cursor".into()));
}

#[tokio::test]
async fn undocumented_requests_are_rejected() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let tolt = sandbox.tolt();
    let program = tolt.program_id();
    let id = &tolt.customers()[0].id;

    for parameters in [
        "search=",
        "email=jim",
        "limit=0",
        "limit=101",
        "limit=%2B5",
        "limit=ten",
        "limit=5&limit=5",
        "order=newest",
        "status=suspended",
        "status=",
        "expand=partner",
        "expand[]=stats",
        "include[]=stats",
        "created_gte=2025-01-15",
        "created_gte=2025-01-15T14:30:00+05:30",
        "created_gte=2025-01-15T14:30:00+00:00",
        "created_gte=2025-01-15%2014:30:00Z",
        &format!("starting_after={id}&ending_before={id}"),
    ] {
        let (status, body) = tolt.get(&format!("/v1/customers?program_id={program}&{parameters}")).await;
        assert_eq!((status, &body["error"]["type"]), (400, &"validation_error".into()), "{parameters}");
    }
    for (path, status) in [
        ("/v1/customers".to_owned(), 400),
        ("/v1/customers?program_id=prg_other".to_owned(), 404),
        ("/v1/customers/unknown".to_owned(), 404),
        (format!("/v1/customers/{id}?program_id={program}"), 400),
        (format!("/v1/transactions?program_id={program}&status=paid"), 400),
    ] {
        assert_eq!(tolt.get(&path).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn filters_apply_and_dates_are_inclusive() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let tolt = sandbox.tolt();
    let customers = tolt.customers();

    let partner = customers[40].partner_id.as_str().unwrap();
    let mut expected: Vec<_> = customers
        .iter()
        .filter(|c| c.partner_id.as_str() == Some(partner) && c.status.as_str() == Some("active"))
        .map(|c| c.id.clone())
        .collect();
    expected.reverse();
    let body = tolt.list("customers", &format!("&limit=100&status=active&partner_id={partner}")).await;
    assert_eq!(ids(&body["data"]["data"]), expected);
    assert_eq!(body["total_count"], expected.len());

    let at = customers[100].created_at.replace('+', "%2B");
    let body = tolt.list("customers", &format!("&created_gte={at}&created_lte={at}")).await;
    assert!(ids(&body["data"]["data"]).contains(&customers[100].id));
    let body = tolt.list("customers", "&created_gte=2025-02-01T00:00:00Z&created_lte=2025-01-01T00:00:00Z").await;
    assert_eq!(body["total_count"], 0);
}

#[tokio::test]
async fn expand_embeds_objects_and_sums_stats() {
    let mut data = Data::generate(1, 3, 0);
    let partner = data.partners[0].clone();
    let mut customer = Customer::new("a/b + ü", "2025-01-15T14:30:00.000Z");
    customer.partner_id = partner.id.as_str().into();
    data.customers.push(customer);
    data.transactions = vec![
        Transaction::new("t1", "a/b + ü", 1_000, "2025-01-16T00:00:00.000Z"),
        Transaction::new("t2", "a/b + ü", -200, "2025-01-17T00:00:00.000Z"),
        Transaction::new("t3", "gone", 5, "2025-01-18T00:00:00.000Z"),
    ];
    data.transactions[0].amount = "1000".into();
    let data = super::Data { tolt: data, ..super::Data::default() };
    let sandbox = Sandbox::start_with(small(), data).await.unwrap();
    let tolt = sandbox.tolt();

    let (_, body) =
        tolt.get("/v1/customers/a%2Fb%20+%20%C3%BC?expand[]=partner&expand%5B%5D=program&include[]=stats").await;
    let row = &body["data"];
    assert_eq!(row["partner"]["id"], partner.id.as_str());
    assert_eq!(row["program"]["id"], tolt.program_id());
    assert_eq!(
        row["stats"],
        serde_json::json!({"total_revenue": 800, "total_commission": 160, "total_orders": 2,
            "last_order_at": "2025-01-17T00:00:00.000Z"})
    );

    let body = tolt.list("transactions", "&expand[]=customer&expand[]=partner").await;
    assert_eq!(ids(&body["data"]), ["t3", "t2", "t1"]);
    assert_eq!(body["data"][0]["customer"], serde_json::Value::Null);
    assert_eq!(body["data"][1]["partner"], serde_json::Value::Null);
    assert!(body["data"][1].get("program").is_none());
    let embedded = body["data"][1]["customer"].as_object().unwrap();
    let mut names: Vec<_> = embedded.keys().collect();
    names.sort();
    assert_eq!(names, ["created_at", "email", "id", "name", "status"]);

    let body = tolt.list("transactions", "&customer_id=gone").await;
    assert_eq!(ids(&body["data"]), ["t3"]);
}

#[tokio::test]
async fn rate_limit_is_25_requests_per_second() {
    let sandbox = Sandbox::start(Options { enforce_rate_limits: true, ..small() }).await.unwrap();
    let tolt = sandbox.tolt();
    let client = reqwest::Client::new();
    let url = format!("{}/v1/customers?program_id={}", tolt.base_url(), tolt.program_id());

    let calls = (0..26).map(|_| client.get(&url).bearer_auth(tolt.credential()).send());
    let mut responses: Vec<_> = futures_util::future::join_all(calls).await.into_iter().map(Result::unwrap).collect();
    responses.sort_by_key(reqwest::Response::status);
    assert_eq!(responses[24].status(), 200);
    let rejected = responses.pop().unwrap();
    assert_eq!(rejected.status(), 429);
    assert_eq!(rejected.headers().get("retry-after"), None);
    assert_eq!(
        rejected.text().await.unwrap(),
        r#"{"success":false,"error":{"message":"Too many requests. Please try again.","type":"rate_limit_error"}}"#
    );
}
