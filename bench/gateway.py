"""Parts of the benches: processes on loopback ports, keys and requests."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path


class Server:
    """A listening process."""

    def __init__(self, name, port, process):
        self.name, self.port, self.process = name, port, process

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(name, port, words, log, **environment):
    """Starts a server and waits until it listens."""
    if listens(port):
        sys.exit(f"port {port} is in use")
    with open(log, "a") as out:
        environment = {**os.environ, **environment}
        process = subprocess.Popen([str(word) for word in words], stdout=out, stderr=out, env=environment)
    while not listens(port):
        if process.poll() is not None:
            sys.exit(f"{name} did not start:\n" + Path(log).read_text())
        time.sleep(0.0005)
    return Server(name, port, process)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def new_key(target):
    """Returns a caller's key and its digest."""
    said = subprocess.run([target / "customer-gateway", "key"], capture_output=True, text=True)
    text = said.stdout + said.stderr
    return re.search(r"cgk_\S+", text)[0], re.search(r"blake3:\w+", text)[0]


def request(target, key):
    """Returns the bytes of a request."""
    return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


def write_response(path, port, target, key):
    """Writes the gateway's response to a file for the bare server. Returns the file."""
    for _ in range(2):
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", target, headers={"Authorization": f"Bearer {key}"})
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                sys.exit(f"the gateway returned {response.status} for {target}: {body.decode(errors='replace')}")
    # hyper adds these itself.
    headers = [f"{name}: {value}" for name, value in response.getheaders() if name.lower() not in ("date", "content-length")]
    path.write_bytes("\r\n".join(headers).encode() + b"\r\n\r\n" + body)
    return path
