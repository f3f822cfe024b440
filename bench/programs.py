"""Builds and runs the programs of bench/overload, bench/soak and bench/chaos."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(program, profile):
    """Builds the gateway and a program of bench/servers. Returns their directory."""
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1", "--manifest-path", ROOT / "Cargo.toml"]
    target = json.loads(subprocess.run(metadata, stdout=subprocess.PIPE, check=True).stdout)["target_directory"]
    for manifest, binary in (("Cargo.toml", "customer-gateway"), ("bench/servers/Cargo.toml", program)):
        command = ["cargo", "build", "--profile", profile, "--locked", "--quiet", "--bin", binary]
        subprocess.run([*command, "--manifest-path", ROOT / manifest, "--target-dir", target], check=True)
    return Path(target) / ("debug" if profile == "dev" else profile)


def run(program, *arguments, debug=False, **options):
    """Builds and runs a program with the gateway's binary as its first argument."""
    binaries = build(program, "dev" if debug else "release")
    command = [binaries / program, binaries / "customer-gateway", *arguments]
    return subprocess.run([str(part) for part in command], **options)
