//! Unknown ids and connections.

use insta::{assert_json_snapshot, assert_snapshot};

use super::{lines, stage};
use crate::support::Stage;

#[tokio::test]
async fn unknown_customer_id_is_404() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    assert_json_snapshot!(gateway.get("/customers/affiliates.cust_unknown").await.problem_snapshot(), @r#"
    {
      "code": "customer_not_found",
      "connection": "affiliates",
      "detail": "the connection `affiliates` has no customer `cust_unknown`",
      "request_id": "[request id]",
      "retryable": false,
      "status": 404,
      "title": "Customer not found"
    }
    "#);
    assert_snapshot!(lines(&gateway, &[
        "/customers/tax.cust_unknown",
        "/customers/x",
        "/customers/.x",
        "/customers/tax.",
        "/customers/tax./transactions",
        "/customers/x/transactions",
        "/customers/TAX.cust_unknown",
        "/customers/nope.x",
        "/customers/nope.x/transactions",
        "/customers/affiliates...",
        "/customers/affiliates..",
        "/customers/tax...%2F..",
        "/customers/affiliates.%2F..%2Ftransactions",
        "/customers/affiliates.a%2Fb",
        "/customers/affiliates.a%3Fb%23c",
        "/customers/tax.%00",
        "/transactions?customer_id=x",
        "/transactions?customer_id=nope.x",
    ]).await, @r"
    /customers/tax.cust_unknown
        404 customer_not_found the connection `tax` has no customer `cust_unknown`
    /customers/x
        404 customer_not_found there is no customer `x`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/.x
        404 customer_not_found there is no customer `.x`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/tax.
        404 customer_not_found there is no customer `tax.`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/tax./transactions
        404 customer_not_found there is no customer `tax.`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/x/transactions
        404 customer_not_found there is no customer `x`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/TAX.cust_unknown
        404 customer_not_found there is no customer `TAX.cust_unknown`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/nope.x
        404 connection_not_found there is no connection `nope`, which the id `nope.x` names
    /customers/nope.x/transactions
        404 connection_not_found there is no connection `nope`, which the id `nope.x` names
    /customers/affiliates...
        404 customer_not_found there is no customer `affiliates...`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/affiliates..
        404 customer_not_found there is no customer `affiliates..`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/tax...%2F..
        404 customer_not_found there is no customer `tax.../..`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/affiliates.%2F..%2Ftransactions
        404 customer_not_found there is no customer `affiliates./../transactions`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/affiliates.a%2Fb
        404 customer_not_found there is no customer `affiliates.a/b`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /customers/affiliates.a%3Fb%23c
        404 customer_not_found the connection `affiliates` has no customer `a?b#c`
    /customers/tax.%00
        404 customer_not_found there is no customer `tax.�`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /transactions?customer_id=x
        404 customer_not_found there is no customer `x`; an id has the form `<connection>.<vendor's id>`, as returned in lists
    /transactions?customer_id=nope.x
        404 connection_not_found there is no connection `nope`, which the id `nope.x` names
    ");
}

#[tokio::test]
async fn customer_id_cannot_escape_its_path_segment() {
    let Stage { vendors: sandbox, gateway } = stage().start().await;
    for id in ["a%2F..%2F..%2Ftransactions", "%2E%2E%2Ftransactions", "a%3Fprogram_id=x", "a%23b"] {
        assert_eq!(gateway.get(&format!("/customers/affiliates.{id}")).await.code(404), "customer_not_found", "{id}");
    }
    assert_snapshot!(sandbox.tolt().requests().join("\n"), @r"
    /v1/customers/a%3Fprogram_id%3Dx
    /v1/customers/a%23b
    ");
}

#[tokio::test]
async fn unknown_connection_is_404() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    assert_json_snapshot!(gateway.get("/customers?connection=nope").await.problem_snapshot(), @r#"
    {
      "code": "connection_not_found",
      "detail": "there is no connection `nope`",
      "parameter": "connection",
      "request_id": "[request id]",
      "retryable": false,
      "status": 404,
      "supported": [
        "affiliates",
        "tax"
      ],
      "title": "Connection not found"
    }
    "#);
    assert_snapshot!(lines(&gateway, &[
        "/customers?connection=affiliates&connection=nope",
        "/customers?connection=affiliates,nope",
        "/transactions?connection=Affiliates",
        "/connections/nope",
        "/connections/%20",
    ]).await, @r"
    /customers?connection=affiliates&connection=nope
        404 connection_not_found [connection] there is no connection `nope`
    /customers?connection=affiliates,nope
        404 connection_not_found [connection] there is no connection `nope`
    /transactions?connection=Affiliates
        404 connection_not_found [connection] there is no connection `Affiliates`
    /connections/nope
        404 connection_not_found there is no connection `nope`
    /connections/%20
        404 connection_not_found there is no connection ` `
    ");
}
