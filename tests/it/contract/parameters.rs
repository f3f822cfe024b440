//! Parameters of the OpenAPI document, compared with those of the routes.

use std::collections::BTreeSet;

use serde_json::Value;
use url::form_urlencoded;

use super::{document, operations};
use crate::support::{Gateway, config, connections_to, sandbox};

#[tokio::test]
async fn routes_accept_documented_parameters() {
    let sandbox = sandbox(1, 1, 1).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let document = document();
    for (path, target) in [
        ("/customers", "/customers?nope=1"),
        ("/customers/{id}", "/customers/tax.x?nope=1"),
        ("/transactions", "/transactions?nope=1"),
        ("/customers/{id}/transactions", "/customers/affiliates.x/transactions?nope=1"),
    ] {
        let documented = document["paths"][path]["get"]["parameters"].as_array().unwrap().iter();
        let documented: BTreeSet<_> =
            documented.filter(|it| it["in"] == "query").map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        let problem = gateway.get(target).await.problem();
        let taken = problem["supported"].as_array().unwrap().iter();
        let taken: BTreeSet<_> = taken.map(|name| name.as_str().unwrap().to_owned()).collect();
        assert_eq!(documented, taken, "{path}");
    }
}

/// Example of a parameter, as clients send it. An array repeats its key.
fn name_value_pairs(parameter: &Value) -> Vec<(String, String)> {
    let name = parameter["name"].as_str().unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let example = &parameter["example"];
    let values = example.as_array().map_or_else(|| vec![text(example)], |values| values.iter().map(text).collect());
    values.into_iter().map(|value| (name.to_owned(), value)).collect()
}

#[tokio::test]
async fn parameter_examples_are_accepted() {
    let sandbox = sandbox(3, 3, 3).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let document = document();
    let mut asked = 0;
    for (operation, described) in operations(&document).filter(|(_, it)| it["parameters"].is_array()) {
        let parameters = described["parameters"].as_array().unwrap();
        let Some(path) = operation.strip_prefix("get ") else { continue };
        let in_path = parameters.iter().find(|it| it["in"] == "path");
        let path = in_path.map_or_else(
            || path.to_owned(),
            |it| path.replace(&format!("{{{}}}", it["name"].as_str().unwrap()), it["example"].as_str().unwrap()),
        );
        // Cursors come from earlier responses and are tested in `walks`.
        for parameter in parameters.iter().filter(|it| it["name"] != "cursor") {
            let mut answers = Vec::new();
            for connection in ["affiliates", "tax"] {
                let path = path.replace("affiliates.", &format!("{connection}."));
                let mut query = form_urlencoded::Serializer::new(String::new());
                if path.ends_with("customers") || path == "/transactions" {
                    query.append_pair("connection", connection);
                }
                let mut headers = Vec::new();
                match parameter["in"].as_str().unwrap() {
                    // No filter combines with `id`.
                    "query" if parameter["name"] == "connection" || parameter["name"] == "id" => {
                        query.clear().extend_pairs(name_value_pairs(parameter));
                    }
                    "query" => {
                        query.extend_pairs(name_value_pairs(parameter));
                    }
                    "header" => headers = name_value_pairs(parameter),
                    _ => {}
                }
                // The parameter applies to exports only.
                if parameter["name"] == "marks" {
                    headers.push(("accept".to_owned(), "application/x-ndjson".to_owned()));
                }
                let target = format!("{path}?{}", query.finish());
                let answer = gateway
                    .request(|client, url| {
                        let request = client.get(format!("{url}{}", target.trim_end_matches('?')));
                        headers.iter().fold(request, |request, (name, value)| request.header(name, value))
                    })
                    .await;
                let code = if answer.status >= 400 { answer.code(answer.status) } else { String::new() };
                answers.push((target, answer.status, code));
                asked += 1;
            }
            let is_accepted = |status: u16, code: &str| status == 200 || code == "customer_not_found";
            let accepted = answers.iter().any(|(_, status, code)| is_accepted(*status, code));
            assert!(accepted, "{operation} {}: {answers:?}", parameter["name"]);
        }
    }
    assert!(asked > 50, "{asked}");
}
