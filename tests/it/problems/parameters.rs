//! Unknown, repeated, empty, out-of-range and unsupported parameters.

use insta::{assert_json_snapshot, assert_snapshot};

use super::{lines, stage};
use crate::support::Stage;

#[tokio::test]
async fn unknown_parameter_lists_the_known_ones() {
    let Stage { vendors: sandbox, gateway } = stage().start().await;
    assert_json_snapshot!(gateway.get("/customers?connection=affiliates&page=2").await.problem_snapshot(), @r#"
    {
      "code": "unknown_parameter",
      "detail": "this route has no parameter `page`",
      "parameter": "page",
      "request_id": "[request id]",
      "retryable": false,
      "status": 400,
      "supported": [
        "connection",
        "limit",
        "cursor",
        "max_calls",
        "partial",
        "expand",
        "include",
        "fields",
        "marks",
        "order",
        "status",
        "partner_id",
        "created_gte",
        "created_lte",
        "updated_gte",
        "updated_lte",
        "name",
        "search",
        "email",
        "external_id",
        "source_platform",
        "source_platform_id",
        "certificate_type",
        "exemption_jurisdiction",
        "exemption_status",
        "expiration_status",
        "has_exemption",
        "id"
      ],
      "title": "Unknown parameter"
    }
    "#);
    for target in [
        "/customers/affiliates.x?limit=1",
        "/transactions?connection=affiliates&status=paid",
        "/customers/affiliates.x/transactions?connection=affiliates",
        "/customers/affiliates.x/transactions?customer_id=affiliates.y",
    ] {
        assert_eq!(gateway.get(target).await.code(400), "unknown_parameter", "{target}");
    }
    assert_eq!((sandbox.tolt().calls(), sandbox.corporation().calls()), (0, 0), "no vendor was called");
}

#[tokio::test]
async fn repeated_single_value_is_rejected() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    assert_snapshot!(lines(&gateway, &[
        "/customers?connection=affiliates&limit=1&limit=1",
        "/customers?connection=affiliates&cursor=a&cursor=b",
        "/customers?connection=affiliates&order=asc&order=desc",
        "/customers?connection=affiliates&email=a&email=b",
        "/customers?connection=affiliates&created_gte=2025-01-01&created_gte=2025-01-02",
        "/customers?connection=tax&has_exemption=true&has_exemption=true",
        "/transactions?connection=affiliates&updated_gte=2025-01-01&updated_gte=2025-01-01",
        "/transactions?customer_id=affiliates.a&customer_id=affiliates.b",
        "/customers/affiliates.x/transactions?limit=1&limit=2",
    ]).await, @r"
    /customers?connection=affiliates&limit=1&limit=1
        400 repeated_parameter [limit] `limit` takes one value, but the request repeats the parameter
    /customers?connection=affiliates&cursor=a&cursor=b
        400 repeated_parameter [cursor] `cursor` takes one value, but the request repeats the parameter
    /customers?connection=affiliates&order=asc&order=desc
        400 repeated_parameter [order] `order` takes one value, but the request repeats the parameter
    /customers?connection=affiliates&email=a&email=b
        400 repeated_parameter [email] `email` takes one value, but the request repeats the parameter
    /customers?connection=affiliates&created_gte=2025-01-01&created_gte=2025-01-02
        400 repeated_parameter [created_gte] `created_gte` takes one value, but the request repeats the parameter
    /customers?connection=tax&has_exemption=true&has_exemption=true
        400 repeated_parameter [has_exemption] `has_exemption` takes one value, but the request repeats the parameter
    /transactions?connection=affiliates&updated_gte=2025-01-01&updated_gte=2025-01-01
        400 repeated_parameter [updated_gte] `updated_gte` takes one value, but the request repeats the parameter
    /transactions?customer_id=affiliates.a&customer_id=affiliates.b
        400 repeated_parameter [customer_id] `customer_id` takes one value, but the request repeats the parameter
    /customers/affiliates.x/transactions?limit=1&limit=2
        400 repeated_parameter [limit] `limit` takes one value, but the request repeats the parameter
    ");
}

#[tokio::test]
async fn empty_value_is_rejected() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    assert_snapshot!(lines(&gateway, &[
        "/customers?connection=",
        "/customers?connection=affiliates&limit=",
        "/customers?connection=affiliates&cursor",
        "/customers?connection=affiliates&email=",
        "/customers/affiliates.x?expand=",
        "/customers?connection=affiliates&expand=partner,",
        "/transactions?connection=affiliates&order=",
    ]).await, @r"
    /customers?connection=
        400 invalid_parameter [connection] `connection` is empty; remove the parameter or give it a value
    /customers?connection=affiliates&limit=
        400 invalid_parameter [limit] `limit` is empty; remove the parameter or give it a value
    /customers?connection=affiliates&cursor
        400 invalid_parameter [cursor] `cursor` is empty; remove the parameter or give it a value
    /customers?connection=affiliates&email=
        400 invalid_parameter [email] `email` is empty; remove the parameter or give it a value
    /customers/affiliates.x?expand=
        400 invalid_parameter [expand] `expand` is empty; remove the parameter or give it a value
    /customers?connection=affiliates&expand=partner,
        400 invalid_parameter [expand] `expand` takes one of `partner`, `program`, `stats`, `shipping_address`, `exemption`, not ``
    /transactions?connection=affiliates&order=
        400 invalid_parameter [order] `order` is empty; remove the parameter or give it a value
    ");
}

#[tokio::test]
async fn value_out_of_range_names_the_range() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    assert_snapshot!(lines(&gateway, &[
        "/customers?connection=affiliates&limit=many",
        "/customers?connection=affiliates&limit=101",
        "/customers?connection=affiliates&limit=-1",
        "/customers?connection=affiliates&limit=1.5",
        "/customers?connection=affiliates&limit=99999999999999999999999",
        "/customers?connection=affiliates&order=ASC",
        "/customers?connection=affiliates&created_gte=yesterday",
        "/customers?connection=affiliates&created_lte=2025-02-30",
        "/customers?connection=affiliates&created_lte=2025-01-15T14:30:00",
        "/customers?connection=affiliates&created_gte=2025-02-01&created_lte=2025-01-31",
        "/customers?connection=affiliates&expand=referral",
        "/customers?connection=affiliates&include=all",
        "/customers?connection=tax&has_exemption=1",
        "/customers?connection=tax&source_platform=a,b",
        "/customers/affiliates.x?expand=customer",
        "/transactions?connection=affiliates&expand=stats",
        "/transactions?connection=affiliates&limit=1000",
        "/transactions?connection=affiliates&customer_id=tax.x",
        "/customers/affiliates.x/transactions?order=newest",
    ]).await, @r"
    /customers?connection=affiliates&limit=many
        400 invalid_parameter [limit] `limit` takes a whole number from 0 to 100, not `many`
    /customers?connection=affiliates&limit=101
        400 invalid_parameter [limit] `limit` takes a whole number from 0 to 100, not `101`
    /customers?connection=affiliates&limit=-1
        400 invalid_parameter [limit] `limit` takes a whole number from 0 to 100, not `-1`
    /customers?connection=affiliates&limit=1.5
        400 invalid_parameter [limit] `limit` takes a whole number from 0 to 100, not `1.5`
    /customers?connection=affiliates&limit=99999999999999999999999
        400 invalid_parameter [limit] `limit` takes a whole number from 0 to 100, not `99999999999999999999999`
    /customers?connection=affiliates&order=ASC
        400 invalid_parameter [order] `order` takes `asc` or `desc`, not `ASC`
    /customers?connection=affiliates&created_gte=yesterday
        400 invalid_parameter [created_gte] `created_gte` takes an RFC 3339 date-time with its offset, such as `2025-01-15T14:30:00Z`, or a date, not `yesterday`
    /customers?connection=affiliates&created_lte=2025-02-30
        400 invalid_parameter [created_lte] `created_lte` takes an RFC 3339 date-time with its offset, such as `2025-01-15T14:30:00Z`, or a date, not `2025-02-30`
    /customers?connection=affiliates&created_lte=2025-01-15T14:30:00
        400 invalid_parameter [created_lte] `created_lte` takes an RFC 3339 date-time with its offset, such as `2025-01-15T14:30:00Z`, or a date, not `2025-01-15T14:30:00`
    /customers?connection=affiliates&created_gte=2025-02-01&created_lte=2025-01-31
        400 invalid_parameter [created_lte] `created_lte` is before `created_gte`, so no row can match
    /customers?connection=affiliates&expand=referral
        400 invalid_parameter [expand] `expand` takes one of `partner`, `program`, `stats`, `shipping_address`, `exemption`, not `referral`
    /customers?connection=affiliates&include=all
        400 invalid_parameter [include] `include` takes `raw`, not `all`
    /customers?connection=tax&has_exemption=1
        400 invalid_parameter [has_exemption] `has_exemption` takes `true` or `false`, not `1`
    /customers?connection=tax&source_platform=a,b
        400 invalid_parameter [source_platform] a value of `source_platform` cannot contain a comma: the vendor takes a comma-separated list
    /customers/affiliates.x?expand=customer
        400 invalid_parameter [expand] `expand` takes one of `partner`, `program`, `stats`, `shipping_address`, `exemption`, not `customer`
    /transactions?connection=affiliates&expand=stats
        400 invalid_parameter [expand] `expand` takes one of `customer`, `partner`, `program`, not `stats`
    /transactions?connection=affiliates&limit=1000
        400 invalid_parameter [limit] `limit` takes a whole number from 0 to 100, not `1000`
    /transactions?connection=affiliates&customer_id=tax.x
        400 invalid_parameter [customer_id] the customer belongs to `tax`, which `connection` does not include
    /customers/affiliates.x/transactions?order=newest
        400 invalid_parameter [order] `order` takes `asc` or `desc`, not `newest`
    ");
}

#[tokio::test]
async fn long_value_is_quoted_truncated() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let told = gateway.get(&format!("/customers?limit={}", "é".repeat(500))).await.problem_snapshot();
    assert_eq!(told["detail"], format!("`limit` takes a whole number from 0 to 100, not `{}…`", "é".repeat(64)));
}

#[tokio::test]
async fn unsupported_filter_lists_the_supported_ones() {
    let Stage { vendors: sandbox, gateway } = stage().start().await;
    assert_json_snapshot!(gateway.get("/customers?connection=tax&status=active").await.problem_snapshot(), @r#"
    {
      "code": "unsupported_filter",
      "connection": "tax",
      "detail": "the connection `tax` does not support `status`; name only connections that support this (`affiliates`) in `connection`",
      "parameter": "status",
      "request_id": "[request id]",
      "retryable": false,
      "status": 400,
      "supported": [
        "order",
        "created_gte",
        "created_lte",
        "name",
        "search",
        "email",
        "external_id",
        "source_platform",
        "source_platform_id",
        "certificate_type",
        "exemption_jurisdiction",
        "exemption_status",
        "expiration_status",
        "has_exemption"
      ],
      "title": "The connection does not support a parameter"
    }
    "#);
    assert_snapshot!(lines(&gateway, &[
        "/customers?connection=tax&partner_id=part_1",
        "/customers?connection=affiliates&source_platform=stripe",
        "/customers?connection=affiliates&source_platform_id=cus_1",
        "/customers?connection=affiliates&certificate_type=BLANKET",
        "/customers?connection=affiliates&exemption_jurisdiction=US_CA",
        "/customers?connection=affiliates&exemption_status=ACTIVE",
        "/customers?connection=affiliates&expiration_status=EXPIRED",
        "/customers?connection=affiliates&has_exemption=true",
    ]).await, @r"
    /customers?connection=tax&partner_id=part_1
        400 unsupported_filter [partner_id] the connection `tax` does not support `partner_id`; name only connections that support this (`affiliates`) in `connection`
    /customers?connection=affiliates&source_platform=stripe
        400 unsupported_filter [source_platform] the connection `affiliates` does not support `source_platform`; name only connections that support this (`tax`) in `connection`
    /customers?connection=affiliates&source_platform_id=cus_1
        400 unsupported_filter [source_platform_id] the connection `affiliates` does not support `source_platform_id`; name only connections that support this (`tax`) in `connection`
    /customers?connection=affiliates&certificate_type=BLANKET
        400 unsupported_filter [certificate_type] the connection `affiliates` does not support `certificate_type`; name only connections that support this (`tax`) in `connection`
    /customers?connection=affiliates&exemption_jurisdiction=US_CA
        400 unsupported_filter [exemption_jurisdiction] the connection `affiliates` does not support `exemption_jurisdiction`; name only connections that support this (`tax`) in `connection`
    /customers?connection=affiliates&exemption_status=ACTIVE
        400 unsupported_filter [exemption_status] the connection `affiliates` does not support `exemption_status`; name only connections that support this (`tax`) in `connection`
    /customers?connection=affiliates&expiration_status=EXPIRED
        400 unsupported_filter [expiration_status] the connection `affiliates` does not support `expiration_status`; name only connections that support this (`tax`) in `connection`
    /customers?connection=affiliates&has_exemption=true
        400 unsupported_filter [has_exemption] the connection `affiliates` does not support `has_exemption`; name only connections that support this (`tax`) in `connection`
    ");
    assert_eq!((sandbox.tolt().calls(), sandbox.corporation().calls()), (0, 0), "no vendor was called");
}

#[tokio::test]
async fn unsupported_expansion_lists_supported_ones() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    assert_json_snapshot!(gateway.get("/customers?connection=affiliates&expand=stats").await.problem_snapshot(), @r#"
    {
      "code": "unsupported_filter",
      "connection": "affiliates",
      "detail": "the connection `affiliates` does not support `expand=stats`; no connection supports this; remove the parameter",
      "parameter": "expand",
      "request_id": "[request id]",
      "retryable": false,
      "status": 400,
      "supported": [
        "partner",
        "program"
      ],
      "title": "The connection does not support a parameter"
    }
    "#);
    assert_snapshot!(lines(&gateway, &[
        "/customers?connection=affiliates&expand=exemption",
        "/customers?connection=tax&expand=shipping_address&expand=partner",
        "/customers/tax.x?expand=stats",
        "/customers/affiliates.x?expand=shipping_address",
    ]).await, @r"
    /customers?connection=affiliates&expand=exemption
        400 unsupported_filter [expand] the connection `affiliates` does not support `expand=exemption`; name only connections that support this (`tax`) in `connection`
    /customers?connection=tax&expand=shipping_address&expand=partner
        400 unsupported_filter [expand] the connection `tax` does not support `expand=partner`; no connection supports this; remove the parameter
    /customers/tax.x?expand=stats
        400 unsupported_filter [expand] the connection `tax` does not support `expand=stats`
    /customers/affiliates.x?expand=shipping_address
        400 unsupported_filter [expand] the connection `affiliates` does not support `expand=shipping_address`
    ");
}

#[tokio::test]
async fn operation_missing_at_the_vendor_is_501() {
    let Stage { vendors: sandbox, gateway } = stage().start().await;
    assert_json_snapshot!(gateway.get("/transactions?connection=tax").await.problem_snapshot(), @r#"
    {
      "code": "unsupported_operation",
      "connection": "tax",
      "detail": "the vendor of the connection `tax` does not support this operation",
      "request_id": "[request id]",
      "retryable": false,
      "status": 501,
      "title": "The connection's vendor does not support this operation"
    }
    "#);
    assert_eq!(gateway.get("/customers/tax.x/transactions").await.code(501), "unsupported_operation");
    assert_eq!(sandbox.corporation().calls(), 0, "the vendor was not called");
}
