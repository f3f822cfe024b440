"""Counts the instructions of a server between two marks, after a warm-up.

Callgrind counts only between the marks, so start, warm-up and shutdown are not
part of a count. A count repeats to within 0.5%.
"""

import re
import socket
import subprocess
import time
from pathlib import Path

# Requests before a count: caches are filled, connections are open, and code is
# translated by valgrind.
WARM_UP = 300


def command(directory, words):
    """Returns the command that starts a server under callgrind, without counting."""
    out = f"--callgrind-out-file={directory}/callgrind.out"
    return ["valgrind", "--tool=callgrind", "--instr-atstart=no", out, *words]


def count(process, directory, port, request, requests):
    """Returns the instructions per request. `request` returns the bytes of request `n`."""
    with socket.create_connection(("127.0.0.1", port)) as stream, stream.makefile("rb") as responses:
        send = lambda numbers: [exchange(stream, responses, request(n)) for n in numbers]
        send(range(WARM_UP))
        control(process, "-i", "on")
        send(range(WARM_UP, WARM_UP + 100))
        # A dump also resets the counts.
        control(process, "-d", "before")
        send(range(WARM_UP + 100, WARM_UP + 100 + requests))
        control(process, "-d", "after")
        control(process, "-i", "off")
    counted = [(path.stat().st_mtime_ns, path) for path in Path(directory).glob("callgrind.out.*")]
    _, last = max(counted)
    found = re.search(r"^(?:summary|totals): (\d+)", last.read_text(), re.MULTILINE)
    return int(found[1]) / requests


def send(port, requests):
    """Sends requests on one connection, without counting."""
    with socket.create_connection(("127.0.0.1", port)) as stream, stream.makefile("rb") as responses:
        for request in requests:
            exchange(stream, responses, request)


def exchange(stream, responses, request):
    """Sends a request and reads the response, whose status must be 200."""
    stream.sendall(request)
    status = responses.readline()
    if b" 200 " not in status:
        raise SystemExit(f"a request failed: {status.decode(errors='replace')}")
    length = 0
    while (line := responses.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    responses.read(length)


def control(process, *words):
    subprocess.run(["callgrind_control", *words, str(process.pid)], check=True, stdout=subprocess.DEVNULL)
    time.sleep(0.1)
