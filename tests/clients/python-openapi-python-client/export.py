"""Compares CSV exports, read as docs/EXPORTING.md shows, with the pages of the same lists."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas

TIMES = ["created_at", "updated_at"]
gateway = httpx.Client(
    base_url=os.environ["GATEWAY_URL"],
    headers={"Authorization": f"Bearer {os.environ['GATEWAY_KEY']}"},
    timeout=300,
)


def exported(path: str, query: dict[str, Any]) -> bytes:
    response = gateway.get(path, params=query | {"marks": "none"}, headers={"Accept": "text/csv"})
    assert response.status_code == 200, response.text
    return response.content


def walked(path: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        page = gateway.get(path, params=query | {"limit": 100} | cursor).raise_for_status().json()
        yield from page["data"]
        next_cursor = page["page"]["next_cursor"]
        cursor = next_cursor and {"cursor": next_cursor}


def value(row: Any, column: str) -> Any:
    """Returns the value of a column: a text, a timestamp, or none for null and absent values."""
    for member in column.split("."):
        row = row.get(member) if row else None
    if row is None or row == "":
        return None
    if column in TIMES:
        return pandas.Timestamp(row)
    if isinstance(row, list):
        return ";".join(row)
    return row if isinstance(row, str) else json.dumps(row)


for path, query, count in [
    ("/customers", {"connection": ["affiliates", "tax"]}, 12_500),
    ("/customers", {"connection": ["tax"], "expand": ["exemption", "shipping_address"]}, 2_500),
    ("/customers", {"connection": ["quoting"]}, 18),
    ("/transactions", {"connection": ["affiliates"], "expand": ["customer"]}, 2_000),
]:
    Path("export.csv").write_bytes(exported(path, query))
    # exporting:pandas
    frame = pandas.read_csv(
        "export.csv",
        dtype=str,
        keep_default_na=False,
        na_values=[""],
        parse_dates=["created_at", "updated_at"],
        date_format="ISO8601",
    )
    # exporting:end
    rows = list(walked(path, query))
    assert len(frame) == len(rows) == count, (len(frame), len(rows))
    for column in frame.columns:
        read = [None if pandas.isna(cell) else cell for cell in frame[column]]
        sent = [value(row, column) for row in rows]
        assert read == sent, (column, [pair for pair in zip(read, sent) if pair[0] != pair[1]][:3])
    assert frame["id"].notna().all() and frame.isna().any(axis=None)
