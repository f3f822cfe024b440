import os
import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from client import AuthenticatedClient, Client
from client.api.connections import list_connections
from client.api.customers import get_customer, list_customers
from client.api.transactions import list_customer_transactions, list_transactions
from client.models import (
    Customer,
    CustomerExpansion,
    CustomerPage,
    Include,
    Partial,
    Problem,
    Referral,
    Tax,
    TransactionPage,
)
from client.types import UNSET, Response, Unset

GATEWAY_URL = os.environ["GATEWAY_URL"]
GATEWAY_KEY = os.environ["GATEWAY_KEY"]
SPENT_KEY = os.environ["SPENT_KEY"]
LATER_URL = os.environ["LATER_URL"]

# docs:authenticate
gateway = AuthenticatedClient(base_url=GATEWAY_URL, token=GATEWAY_KEY)
# docs:end


# docs:walk
def customers(**query: Any) -> Iterator[Customer]:
    cursor: str | Unset | None = UNSET
    retries = 0
    while cursor is not None:
        response = list_customers.sync_detailed(client=gateway, **query, limit=100, cursor=cursor)
        if isinstance(response.parsed, CustomerPage):
            yield from response.parsed.data
            cursor = response.parsed.page.next_cursor
            retries = 0
        elif isinstance(response.parsed, Problem) and response.parsed.retryable and retries < 5:
            retries += 1
        else:
            raise RuntimeError(response.parsed)
        time.sleep(int(response.headers.get("Retry-After", 1 if retries else 0)))
    # docs:end


def page(response: CustomerPage | Problem | Any | None) -> CustomerPage:
    """Checks that the response is a page."""
    assert isinstance(response, CustomerPage), response
    return response


def refused(response: Response[Any], status: int, code: str) -> Response[Any]:
    """Checks that the response is a problem of the generated type."""
    assert isinstance(response.parsed, Problem), response
    assert (response.status_code, response.parsed.code) == (status, code), response
    wait = response.headers.get("Retry-After")
    assert response.parsed.retry_after == (UNSET if wait is None else int(wait)), response
    return response


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
expanded = page(
    list_customers.sync(
        client=gateway, connection=["affiliates"], expand=[CustomerExpansion.PARTNER, CustomerExpansion.PROGRAM]
    )
)
referrals = [customer.referral for customer in expanded.data if isinstance(customer.referral, Referral)]
assert any(referral.partner and referral.program for referral in referrals)
platforms = page(list_customers.sync(client=gateway, connection=["tax"], source_platform=["stripe", "xero"], limit=100))
taxes = [customer.tax for customer in platforms.data if isinstance(customer.tax, Tax)]
assert {tax.source_platform for tax in taxes} == {"stripe", "xero"}

statuses = page(list_customers.sync(client=gateway, connection=["affiliates"], status=["active", "lead"], limit=100))
assert {customer.status for customer in statuses.data} == {"active", "lead"}

# Selected fields, and `id`.
fields = ["email", "referral.partner_id"]
selected = page(list_customers.sync(client=gateway, connection=["affiliates"], fields=fields))
assert all(customer.id and customer.status is UNSET for customer in selected.data)
assert any(customer.email for customer in selected.data)
referrals = [customer.referral for customer in selected.data if isinstance(customer.referral, Referral)]
assert referrals and all(referral.program_id is UNSET for referral in referrals)

# The number of customers, without a row.
counted = page(list_customers.sync(client=gateway, connection=["affiliates"], limit=0))
assert (counted.data, counted.page.total) == ([], 10_000)

# The links of a page.
linked = list_customers.sync_detailed(client=gateway, connection=["tax"])
link = rf'<[^>]*cursor={page(linked.parsed).page.next_cursor}[^>]*>; rel="next"'
assert re.search(link, linked.headers["Link"]), linked.headers

# Date-times as parameters.
instant = expanded.data[1].created_at
assert isinstance(instant, datetime)
then = page(list_customers.sync(client=gateway, connection=["affiliates"], created_gte=instant, created_lte=instant))
assert expanded.data[1].id in [customer.id for customer in then.data]
assert all(customer.created_at == instant for customer in then.data)

# One customer and its transactions.
transactions = list_transactions.sync(client=gateway, connection=["affiliates"], limit=1)
assert isinstance(transactions, TransactionPage)
id = transactions.data[0].customer_id
assert isinstance(id, str)
customer = get_customer.sync_detailed(client=gateway, id=id)
assert isinstance(customer.parsed, Customer) and customer.parsed.id == id
own = list_customer_transactions.sync(client=gateway, id=id)
assert isinstance(own, TransactionPage) and own.data
assert all(row.customer_id == id and isinstance(row.amount, int) for row in own.data)

# Several customers by id, in the order of the request.
taxpayer = platforms.data[0]
batch = page(list_customers.sync(client=gateway, id=[taxpayer.id, "affiliates.cust_nobody", id, taxpayer.id]))
assert [row.id for row in batch.data] == [taxpayer.id, id]
assert [source.not_found for source in batch.sources] == [["affiliates.cust_nobody"], []]

# A customer by email address.
assert isinstance(taxpayer.email, str)
found = customers(connection=["affiliates", "tax"], email=taxpayer.email.upper())
assert taxpayer.id in [row.id for row in found]

# A conditional request: 304 without a body if nothing has changed.
unchanged = get_customer.sync_detailed(client=gateway, id=id, if_none_match=customer.headers["etag"])
assert unchanged.status_code == 304

# Problems.
refused(list_customers.sync_detailed(client=gateway, connection=["tax"], limit=101), 400, "invalid_parameter")
refused(list_customers.sync_detailed(client=gateway, connection=["tax"], cursor="nonsense"), 400, "invalid_cursor")
stranger = AuthenticatedClient(base_url=GATEWAY_URL, token="wrong")
refused(list_connections.sync_detailed(client=stranger), 401, "unauthenticated")
refused(get_customer.sync_detailed(client=gateway, id="affiliates.cust_nobody"), 404, "customer_not_found")
refused(list_customers.sync_detailed(client=gateway, connection=["failing"]), 502, "vendor_error")
limited = list_customers.sync_detailed(client=gateway, connection=["limited"])
assert int(refused(limited, 503, "vendor_rate_limited").headers["retry-after"]) > 50
spender = AuthenticatedClient(base_url=GATEWAY_URL, token=SPENT_KEY)
spent = list_connections.sync_detailed(client=spender)
assert int(refused(spent, 429, "quota_exceeded").headers["retry-after"]) > 50
assert re.fullmatch(r'"quota";r=0;t=\d+', spent.headers["RateLimit"])

# Vendors that send unknown fields and values.
drifting = page(
    list_customers.sync(
        client=gateway, connection=["drifting"], expand=[CustomerExpansion.PARTNER], include=[Include.RAW]
    )
)
assert [(row.status, row.name) for row in drifting.data] == [("hibernating", "Jim"), (None, None), (None, None)]
first = drifting.data[0]
assert first.referral and first.referral.partner and first.referral.partner.status == "dormant"
assert first.raw and "unheard_of" in first.raw
tax = page(
    list_customers.sync(
        client=gateway,
        connection=["drifting-tax"],
        expand=[CustomerExpansion.EXEMPTION, CustomerExpansion.SHIPPING_ADDRESS],
    )
)
first, second, _ = tax.data
assert first.tax and first.tax.source_platform == "abacus"
assert first.tax.exemption and first.tax.exemption.certificate_types == ["VERBAL"]
assert second.tax and not second.tax.exemption

# A gateway of a later version, which sends members that the document lacks.
later = list_customers.sync(client=Client(base_url=LATER_URL))
assert isinstance(later, CustomerPage) and len(later.data) == 2
