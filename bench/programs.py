"""Builds and runs the gateway and the programs of bench/servers."""

import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def target_directory():
    """Returns the directory that cargo builds into."""
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1", "--manifest-path", ROOT / "Cargo.toml"]
    return json.loads(subprocess.run(metadata, stdout=subprocess.PIPE, check=True).stdout)["target_directory"]


def build(program, profile):
    """Builds the gateway and a program of bench/servers. Returns their directory."""
    target = target_directory()
    for manifest, binary in (("Cargo.toml", "customer-gateway"), ("bench/servers/Cargo.toml", program)):
        cargo_build(manifest, target, "--profile", profile, "--bin", binary)
    return Path(target) / ("debug" if profile == "dev" else profile)


def build_all(debug=False, gateway=True):
    """Builds the gateway, if requested, and all programs of bench/servers. Returns their directory."""
    target = target_directory()
    for manifest in (*(["Cargo.toml"] if gateway else []), "bench/servers/Cargo.toml"):
        cargo_build(manifest, target, "--bins", *([] if debug else ["--release"]))
    return Path(target) / ("debug" if debug else "release")


def cargo_build(manifest, target, *options):
    command = ["cargo", "build", "--locked", "--quiet", *options]
    subprocess.run([*command, "--manifest-path", ROOT / manifest, "--target-dir", target], check=True)


def install(*packages):
    """Installs Debian packages, with sudo unless the user is root."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*sudo, "apt-get", "update", "-qq"], check=True)
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    subprocess.run([*sudo, *command], check=True)


def run(program, *arguments, debug=False, **options):
    """Builds and runs a program with the gateway's binary as its first argument."""
    binaries = build(program, "dev" if debug else "release")
    command = [binaries / program, binaries / "customer-gateway", *arguments]
    return subprocess.run([str(part) for part in command], **options)


def heading():
    """Returns the time, the commit and the machine of a measurement."""
    describe = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, stdout=subprocess.PIPE, text=True).stdout.strip()
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    cores = len(os.sched_getaffinity(0))
    return f"{when}, commit {commit}. {cores} cores, Linux {platform.release()}."


def write(bench, text):
    """Replaces the tables of a bench in docs/PERFORMANCE.md."""
    path = ROOT / "docs" / "PERFORMANCE.md"
    begin, end = f"<!-- bench/{bench}: begin -->", f"<!-- bench/{bench}: end -->"
    marks = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
    page, found = marks.subn(lambda _: f"{begin}\n\n{text}\n{end}", path.read_text())
    if not found:
        sys.exit(f"{path} has no marks of bench/{bench}")
    path.write_text(page)
