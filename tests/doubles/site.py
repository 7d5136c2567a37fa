"""A site of given pages on loopback, for a real browser: it counts what is asked of it."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Served:
    """Where the pages are, and the path of every request so far, without its first slash."""

    address: str
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def served(bodies: Mapping[str, bytes], csp: str) -> Iterator[Served]:
    """Pages by their paths on a free loopback port, under the policy `csp` that the door sends."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path.removeprefix("/"))
            body = bodies.get(asked[-1])
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", csp)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: what the browser shows is the result."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield Served(f"http://127.0.0.1:{server.server_port}", asked)
        finally:
            server.shutdown()
