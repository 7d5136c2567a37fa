"""A door's onion for a device: the pool's real API over a UNIX socket, where each circuit and each byte is noted."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from sottovoce.onion.circuit import LoopbackProtocol
from sottovoce.pool.client import PoolClient
from sottovoce.pool.errors import RoadError


class _Noted(socket.socket):
    """A socket that notes what is sent."""

    notes: bytearray

    def sendall(self, data: bytes, *rest: int) -> None:  # type: ignore[override]  # bytes are all that comes
        self.notes += bytes(data)
        super().sendall(data, *rest)


class Onion:
    """`sent` has what each connection sent, `circuits` which connections (by number) came on which circuit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.sent: list[bytearray] = []
        self.circuits: list[list[int]] = []
        self.broken: Callable[[int], bool] = lambda number: False  # whether this connection can't be made

    def fresh(self) -> PoolClient:
        """A client on a circuit of its own."""
        with self._lock:
            mine: list[int] = []
            self.circuits.append(mine)
        return PoolClient("o.onion", lambda: self._connect(mine))

    def _connect(self, circuit: list[int]) -> socket.socket:
        with self._lock:
            number, notes = len(self.sent), bytearray()
            self.sent.append(notes)
            circuit.append(number)
        if self.broken(number):
            raise RoadError("The onion can't be reached over Tor: try again later.")
        stream = _Noted(socket.AF_UNIX)
        stream.notes = notes
        stream.settimeout(10)
        stream.connect(str(self._path))
        return stream

    def asked(self, start: bytes) -> list[list[int]]:
        """The circuits that carried requests which begin so, each with its connections that did."""
        hits = [[number for number in each if self.sent[number].startswith(start)] for each in self.circuits]
        return [each for each in hits if each]


@contextmanager
def serving(site: Starlette, path: Path) -> Iterator[Onion]:
    """Serves a site at a socket's path, in a thread."""
    config = uvicorn.Config(
        site, uds=str(path), http=LoopbackProtocol, ws="none", lifespan="off", log_config=None,
        server_header=False, date_header=False, timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    try:
        yield Onion(path)
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
