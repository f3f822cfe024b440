"""Counts the instructions per request of gateways under callgrind."""

import contextlib
import shutil
import tempfile
from pathlib import Path

import callgrind
import gateway
import programs

VENDOR, GATEWAY, BARE = 18010, 18011, 18013


class Stage:
    """The stub vendor and the directory of all gateways, until the end of the block."""

    def __init__(self, debug=False):
        self.debug = debug
        self.stack = contextlib.ExitStack()
        self.gateways = 0

    def __enter__(self):
        if not shutil.which("valgrind"):
            programs.install("valgrind")
        self.target = programs.build_all(self.debug)
        self.directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-counts-")))
        self.start("vendor", VENDOR, [self.target / "stub-vendor", VENDOR])
        return self

    def __exit__(self, *error):
        return self.stack.__exit__(*error)

    def start(self, name, port, words):
        log = self.directory / f"{port}.log"
        server = gateway.start(name, port, words, log, TOKIO_WORKER_THREADS="1")
        self.stack.callback(server.stop)
        return server

    def start_gateway(self, callers, connections):
        """Starts a gateway as it is deployed: keys, quotas and the access log."""
        self.gateways += 1
        directory = self.directory / f"gateway-{self.gateways}"
        directory.mkdir()
        key = self.configure(directory, callers, connections)
        words = [self.target / "customer-gateway", "--log-format", "json", "serve"]
        words += ["--config", directory / "gateway.toml"]
        server = self.start("gateway", GATEWAY, callgrind.command(directory, words))
        return Gateway(server, directory, key)

    def count_bare(self, counted):
        """Returns the instructions per hit of a server that returns the gateway's response."""
        response = gateway.write_response(self.directory / "response", GATEWAY, hit_target(10), counted.key)
        directory = self.directory / "bare"
        directory.mkdir()
        words = callgrind.command(directory, [self.target / "bare-hyper", BARE, response, response])
        server = self.start("bare hyper", BARE, words)
        bare = callgrind.count(server.process, directory, BARE, lambda _: gateway.request(hit_target(10), counted.key), 2000)
        print(f"bare hyper     {bare:>13,.0f}")
        server.stop()
        return bare

    def configure(self, directory, callers, connections):
        """Writes a configuration. Returns the key of the last caller."""
        (directory / "credential").write_text("sk_bench")
        (directory / "cursor-key").write_text("bench")
        key, digest = gateway.new_key(self.target)
        names = ["hundred", "ten", *(f"bench-{number}" for number in range(2, connections))]
        # With few connections, each caller may use all of them, for merged lists.
        used = names if connections <= 16 else names[:2]
        text = f"""
            [server]
            listen = "127.0.0.1:{GATEWAY}"
            [paging]
            cursor_key = {{ file = "cursor-key" }}
            [cache]
            max_bytes = "1GiB"
            fresh = "1h"
            """
        for number in range(callers):
            own = digest if number == callers - 1 else f"blake3:{number:064x}"
            text += f"""
            [[callers]]
            name = "caller-{number}"
            key_digest = "{own}"
            connections = [{", ".join(f'"{name}"' for name in used)}]
            quota = {{ requests = 100000000, per = "1m" }}
            """
        for name in names:
            text += f"""
            [[connections]]
            name = "{name}"
            vendor = "tolt"
            base_url = "http://127.0.0.1:{VENDOR}/{100 if name == 'hundred' else 10}/0"
            credential = {{ file = "credential" }}
            program_id = "prg_YRsbPDAKhWfdqJbFACheh"
            rate_limit = {{ requests = 1000000, per = "1s" }}
            """
        (directory / "gateway.toml").write_text(text)
        return key


class Gateway:
    """A gateway under callgrind."""

    def __init__(self, server, directory, key):
        self.server, self.directory, self.key = server, directory, key

    def count(self, target, requests):
        """Returns the instructions per request. `target` returns the target of request `n`."""
        request = lambda n: gateway.request(target(n), self.key)
        return callgrind.count(self.server.process, self.directory, GATEWAY, request, requests)

    def send(self, targets):
        """Sends requests that are not counted."""
        callgrind.send(GATEWAY, [gateway.request(target, self.key) for target in targets])

    def stop(self):
        self.server.stop()


def hit_target(rows, _=0):
    """Returns the target of a slice of a cached page of 100 customers."""
    return f"/customers?connection=hundred&limit={rows}"


def miss_target(rows, number):
    """Returns the target of a page that is not cached. The vendor's page has as many rows."""
    connection = {10: "ten", 100: "hundred"}[rows]
    return f"/customers?connection={connection}&limit={rows}&partner_id=part_{number}"
