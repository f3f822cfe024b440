"""Renders the tables of docs/PERFORMANCE.md from the results of bench/run."""

import re

BEGIN, END = "<!-- bench/run: begin -->", "<!-- bench/run: end -->"


def tables(results):
    machine, versions = results["machine"], results["versions"]
    lines = [
        f"{results['when']}, commit {results['commit']}: {results['rounds']} rounds of {results['seconds']} s, medians. "
        f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f". The gateway is `{results['program']}`.",
        "",
    ]
    for rows in (10, 100):
        lines += [f"**Hits, {rows} customers per page**, 64 connections", ""]
        lines += load(results[f"hit {rows}"], "bare hyper")
    for rows in (10, 100):
        lines += [f"**Misses, {rows} customers per page**, 64 connections, vendor without delay", ""]
        lines += load(results[f"miss {rows}"], "nginx")
    lines += ["**Misses at low load**, 1 connection, vendor at 5 ms", "", "| | median ms | added ms |", "|---|---|---|"]
    direct = results["late"]["stub vendor"]["p50_us"]
    for name, figures in results["late"].items():
        added = "" if name == "stub vendor" else f"{(figures['p50_us'] - direct) / 1e3:.2f}"
        lines.append(f"| {name} | {figures['p50_us'] / 1e3:.2f} | {added} |")
    lines += ["", "**Herd: 64 concurrent requests for an uncached page**, vendor at 100 ms", "", "| | vendor calls | slowest ms |", "|---|---|---|"]
    for name, figures in results["herd"].items():
        lines.append(f"| {name} | {figures['vendor_calls']} | {figures['slowest_ms']:.0f} |")
    export = results["export"]
    lines += [
        "",
        f"**Export** of {export['rows']:,} rows from a vendor without a limit: {export['rows_per_second']:,.0f} rows per "
        f"second, {export['cpu_us_per_row']:.1f} µs of CPU per row. The reader is a Python program on the same machine.",
    ]
    lines += ["", "**Instructions per hit** (callgrind, one worker)", "", "| | 10 customers | 100 customers |", "|---|---|---|"]
    for name, counts in results["instructions"].items():
        lines.append(f"| {name} | {counts['10']:,.0f} | {counts['100']:,.0f} |")
    lines += ["", "**Goals**", "", "| | goal | measured | |", "|---|---|---|---|"]
    for what, goal, measured, met in goals(results):
        lines.append(f"| {what} | {goal} | {measured} | {'met' if met else 'not met'} |")
    return "\n".join(lines) + "\n"


def load(figures, base):
    lines = [f"| | bytes | throughput × {base} | CPU µs per request | p50 ms | p99 ms |", "|---|---|---|---|---|---|"]
    for name, each in figures.items():
        lines.append(
            f"| {name} | {each['bytes']:,} | {ratio(figures, name, base, 'per_second'):.2f} | {each['cpu_us']:.1f} "
            f"| {each['p50_us'] / 1e3:.2f} | {each['p99_us'] / 1e3:.2f} |"
        )
    return [*lines, ""]


def ratio(figures, name, base, key):
    """Returns the median of the rounds' ratios: a slow round slows both servers."""
    pairs = zip(figures[name]["rounds"], figures[base]["rounds"])
    ratios = sorted(one[key] / other[key] for one, other in pairs)
    middle = len(ratios) // 2
    return ratios[middle] if len(ratios) % 2 else (ratios[middle - 1] + ratios[middle]) / 2


def goals(results):
    """Returns each goal with its target, its measured value and whether it is met."""
    found = []

    def goal(what, most, measured, unit="", digits=2):
        found.append((what, f"≤ {most:,}{unit}", f"{measured:,.{digits}f}{unit}", measured <= most))

    for rows, least in ((10, 0.90), (100, 1.0)):
        measured = ratio(results[f"hit {rows}"], "gateway", "bare hyper", "per_second")
        what = f"hit, {rows} customers: throughput × bare hyper"
        found.append((what, f"≥ {least}", f"{measured:.2f}", measured >= least))
    for rows in (10, 100):
        measured = ratio(results[f"hit {rows}"], "gateway", "bare hyper", "p99_us")
        goal(f"hit, {rows} customers: p99 × bare hyper", 1.1, measured)
    goal("instructions per hit, 10 customers", 13_500, results["instructions"]["gateway"]["10"], digits=0)
    for rows, most in ((100, 200), (10, 95)):
        goal(f"miss, {rows} customers: CPU per request", most, results[f"miss {rows}"]["gateway"]["cpu_us"], " µs", 0)
    miss = results["miss 100"]
    goal("miss, 100 customers: CPU × nginx + lua", 0.33, miss["gateway"]["cpu_us"] / miss["nginx + lua"]["cpu_us"])
    late = results["late"]
    added = (late["gateway"]["p50_us"] - late["stub vendor"]["p50_us"]) / 1e3
    if "other gateway" in late:
        other = (late["other gateway"]["p50_us"] - late["stub vendor"]["p50_us"]) / 1e3
        goal("miss at low load: added median × the other gateway", 0.5, added / other)
    goal("miss at low load: added median", 0.15, added, " ms")
    herd = results["herd"]["gateway"]
    goal("herd: vendor calls", 1, herd["vendor_calls"], digits=0)
    goal("herd: slowest response, vendor at 100 ms", 110, herd["slowest_ms"], " ms", 0)
    memory = results["memory"]
    goal("memory per cached customer × its JSON", 1.15, memory["rss_bytes"] / memory["json_bytes"])
    goal(
        f"vendor calls to page through {memory['walk_rows']:,} rows, 10 at a time",
        memory["walk_rows"] // 100,
        memory["walk_vendor_calls"],
        digits=0,
    )
    goal("start to first response", 10, results["start"]["first_answer_ms"], " ms", 1)
    goal("resident memory then", 20, results["start"]["resident_bytes"] / 2**20, " MiB", 1)
    return found


def write(path, text):
    page = path.read_text()
    generated = f"{BEGIN}\n\n{text}\n{END}"
    page, count = re.subn(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: generated, page, flags=re.DOTALL)
    if not count:
        raise SystemExit(f"{path} lacks the lines {BEGIN} and {END}")
    path.write_text(page)
