"""Checks the dashboard against Grafana's own types, and prints its queries as rules.

A round trip through the types drops members that they do not know, such as
misspelt or misplaced ones. The rules are for promtool, which cannot parse
dashboards.
"""

import json
import re
import sys

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard


def differences(before, after, path=""):
    """Yields the differences between two JSON values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            if name not in after:
                yield f"{path}/{name} is unknown to Grafana"
            else:
                yield from differences(value, after[name], f"{path}/{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after)):
            yield from differences(one, other, f"{path}/{index}")
    elif before != after:
        yield f"{path} becomes {after!r}"


def overlaps(panels):
    """Yields panels that overlap, share an id or exceed the page."""
    taken = {}
    for panel in panels:
        place = panel["gridPos"]
        cells = [(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
        for cell in [*cells, ("id", panel["id"])]:
            if cell in taken:
                yield f"panel {panel['title']!r} collides with {taken[cell]!r}"
                break
            taken[cell] = panel["title"]
        if place["x"] + place["w"] > 24:
            yield f"panel {panel['title']!r} is wider than the page"


def main(path):
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    plugins.register_default_plugins()
    again = json.loads(json.dumps(Dashboard.from_json(dashboard), cls=JSONEncoder))
    faults = [*differences(dashboard, again), *overlaps(dashboard["panels"])]
    if faults:
        sys.exit("\n".join(f"{path}: {fault}" for fault in faults))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    variables = {"$__rate_interval": "1m", "$__range": "3h", "$connection": ".*"}
    rules = []
    for index, query in enumerate(queries):
        for name, value in variables.items():
            query = query.replace(name, value)
        if left := re.search(r"\$\w+", query):
            sys.exit(f"{path}: {left.group()} is an undefined variable in a query")
        rules.append({"record": f"query:{index}", "expr": query})
    # JSON is YAML.
    json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, sys.stdout, indent=2)


main(sys.argv[1])
