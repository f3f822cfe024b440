import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from customer_gateway import (
    ApiClient,
    ApiException,
    Configuration,
    ConnectionsApi,
    Customer,
    CustomerExpansion,
    CustomersApi,
    Include,
    Partial,
    Problem,
    TransactionsApi,
)
from urllib3 import HTTPHeaderDict

GATEWAY_URL = os.environ["GATEWAY_URL"]
GATEWAY_KEY = os.environ["GATEWAY_KEY"]
SPENT_KEY = os.environ["SPENT_KEY"]
LATER_URL = os.environ["LATER_URL"]

# docs:authenticate
gateway = ApiClient(Configuration(host=GATEWAY_URL, access_token=GATEWAY_KEY, retries=False))
api = CustomersApi(gateway)
# docs:end


# docs:walk
def customers(**query: Any) -> Iterator[Customer]:
    cursor: str | None = None
    retries = 0
    while True:
        try:
            response = api.list_customers_with_http_info(**query, limit=100, cursor=cursor)
        except ApiException as error:
            if retries == 5 or not isinstance(error.data, Problem) or not error.data.retryable:
                raise
            retries += 1
            time.sleep(retry_after(error.headers) or 1)
            continue
        yield from response.data.data
        cursor = response.data.page.next_cursor
        if not cursor:
            return
        retries = 0
        time.sleep(retry_after(response.headers))


def retry_after(headers: Mapping[str, str] | None) -> int:
    # The client returns the headers of a page as a case-sensitive `dict`.
    return int(HTTPHeaderDict(headers or {}).get("Retry-After", 0))
    # docs:end


def refused(status: int, code: str, ask: Callable[[], object]) -> ApiException:
    """Checks that the response is a problem of the generated type."""
    try:
        response = ask()
    except ApiException as error:
        assert isinstance(error.data, Problem), error
        assert (error.status, error.data.code) == (status, code), error
        assert (error.data.retry_after or 0) == retry_after(error.headers), error
        return error
    raise AssertionError(response)


# Every customer of both connections, once each, as one list.
ids = [customer.id for customer in customers(connection=["affiliates", "tax"])]
assert len(ids) == len(set(ids)) == 12_500

# Problems with `Retry-After`, for the first page and for the second.
ids = [customer.id for customer in customers(connection=["busy"])]
assert len(ids) == len(set(ids)) == 150

# A page without the rows of a failed connection, which follow after the wait.
ids = [customer.id for customer in customers(connection=["recovering", "busy"], partial=Partial.ALLOW)]
assert len(ids) == len(set(ids)) == 153
assert ids[100].startswith("recovering."), ids[100]

# Arrays as parameters.
expanded = api.list_customers(connection=["affiliates"], expand=[CustomerExpansion.PARTNER, CustomerExpansion.PROGRAM])
assert any(row.referral and row.referral.partner and row.referral.program for row in expanded.data)
platforms = api.list_customers(connection=["tax"], source_platform=["stripe", "xero"], limit=100)
assert {row.tax and row.tax.source_platform for row in platforms.data} == {"stripe", "xero"}

statuses = api.list_customers(connection=["affiliates"], status=["active", "lead"], limit=100)
assert {row.status for row in statuses.data} == {"active", "lead"}

# Selected fields, and `id`.
selected = api.list_customers(connection=["affiliates"], fields=["email", "referral.partner_id"])
assert all(row.id and row.status is None for row in selected.data)
assert any(row.email for row in selected.data)
referrals = [row.referral for row in selected.data if row.referral]
assert referrals and all(referral.program_id is None for referral in referrals)

# The number of customers, without a row.
counted = api.list_customers(connection=["affiliates"], limit=0)
assert (counted.data, counted.page.total) == ([], 10_000)

# The links of a page.
linked = api.list_customers_with_http_info(connection=["tax"])
link = rf'<[^>]*cursor={linked.data.page.next_cursor}[^>]*>; rel="next"'
assert linked.headers and re.search(link, linked.headers["link"]), linked.headers

# Date-times as parameters.
instant = expanded.data[1].created_at
assert isinstance(instant, datetime)
then = api.list_customers(connection=["affiliates"], created_gte=instant, created_lte=instant)
assert expanded.data[1].id in [row.id for row in then.data]
assert all(row.created_at == instant for row in then.data)

# One customer and its transactions.
id = TransactionsApi(gateway).list_transactions(connection=["affiliates"], limit=1).data[0].customer_id
assert id
customer = api.get_customer_with_http_info(id)
assert customer.data.id == id
own = TransactionsApi(gateway).list_customer_transactions(id).data
assert own and all(row.customer_id == id and isinstance(row.amount, int) for row in own)

# Several customers by id, in the order of the request.
taxpayer = platforms.data[0]
batch = api.list_customers(id=[taxpayer.id, "affiliates.cust_nobody", id, taxpayer.id])
assert [row.id for row in batch.data] == [taxpayer.id, id]
assert [source.not_found for source in batch.sources] == [["affiliates.cust_nobody"], []]

# A customer by email address.
assert taxpayer.email
found = customers(connection=["affiliates", "tax"], email=taxpayer.email.upper())
assert taxpayer.id in [customer.id for customer in found]

# A conditional request: 304 without a body if nothing has changed.
assert customer.headers
try:
    api.get_customer(id, if_none_match=customer.headers["etag"])
    raise AssertionError("the body was sent again")
except ApiException as error:
    assert error.status == 304

# Problems.
refused(400, "invalid_cursor", lambda: api.list_customers(connection=["tax"], cursor="nonsense"))
stranger = ApiClient(Configuration(host=GATEWAY_URL, access_token="wrong"))
refused(401, "unauthenticated", lambda: ConnectionsApi(stranger).list_connections())
refused(404, "customer_not_found", lambda: api.get_customer("affiliates.cust_nobody"))
refused(502, "vendor_error", lambda: api.list_customers(connection=["failing"]))
limited = refused(503, "vendor_rate_limited", lambda: api.list_customers(connection=["limited"]))
assert limited.headers and int(limited.headers["retry-after"]) > 50
spender = ConnectionsApi(ApiClient(Configuration(host=GATEWAY_URL, access_token=SPENT_KEY, retries=False)))
spent = refused(429, "quota_exceeded", spender.list_connections)
assert spent.headers and int(spent.headers["retry-after"]) > 50
assert re.fullmatch(r'"quota";r=0;t=\d+', spent.headers["ratelimit"])

# Vendors that send unknown fields and values.
drifting = api.list_customers(connection=["drifting"], expand=[CustomerExpansion.PARTNER], include=[Include.RAW])
assert [(row.status, row.name) for row in drifting.data] == [("hibernating", "Jim"), (None, None), (None, None)]
first = drifting.data[0]
assert first.referral and first.referral.partner and first.referral.partner.status == "dormant"
assert first.raw and "unheard_of" in first.raw
tax = api.list_customers(
    connection=["drifting-tax"], expand=[CustomerExpansion.EXEMPTION, CustomerExpansion.SHIPPING_ADDRESS]
)
first, second, _ = tax.data
assert first.tax and first.tax.source_platform == "abacus"
assert first.tax.exemption and first.tax.exemption.certificate_types == ["VERBAL"]
assert second.tax and not second.tax.exemption

# A gateway of a later version, which sends members that the document lacks.
later = CustomersApi(ApiClient(Configuration(host=LATER_URL))).list_customers()
assert len(later.data) == 2
