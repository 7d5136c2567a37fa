"""Uvicorn's HTTP protocol with deadlines and bounds, and with Tor's circuit line before the first request.

Rules: 1. A request's headers end within HEADER_SECONDS of the connection's or the request's first byte, and within
HEADER_BYTES. 2. While an answer is under way the deadline waits, so pipelining can't cut it off. 3. Between requests
uvicorn's own timeout_keep_alive holds until the next byte; from then on rule 1. 4. Nothing is logged per request.
5. A server that ends still answers what is under way or has just connected, each as the last of its connection.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

_CIRCUIT_LINE = re.compile(rb"PROXY TCP6 (fc00:dead:beef:4dad::[0-9a-f]{1,4}:[0-9a-f]{1,4}) ::1 \d{1,5} \d{1,5}")
_LINE_LIMIT = 108  # bytes with CR LF: what the PROXY protocol's version 1 allows


class LoopbackProtocol(HttpToolsProtocol):
    """HTTP with deadline and bounds, without Tor's line: for a server that is reached over loopback only."""

    HEADER_SECONDS = 5.0
    HEADER_BYTES = 16_384

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.access_log = False
        self._deadline: asyncio.TimerHandle | None = None
        self._in_headers = True
        self._between_requests = True
        self._last = False  # whether the next answer is the last on this connection
        self._header_bytes = 0  # received for headers that are still unfinished
        self._url_and_headers = 0  # what the parser made of them

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._between_requests:
            self._arm()  # a bare line break begins no request, yet ends uvicorn's own timeout
        headers_before = self._in_headers
        if headers_before:
            self._header_bytes += len(data)
        super().data_received(data)
        if headers_before and self._in_headers and self._header_bytes > self.HEADER_BYTES:
            self.transport.close()

    def on_message_begin(self) -> None:
        self._in_headers, self._between_requests = True, False
        self._url_and_headers = 0
        self._arm()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._disarm()
        self._in_headers, self._header_bytes = False, 0
        super().on_headers_complete()
        if self._last:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._between_requests = True
        self._in_headers = True
        super().on_message_complete()

    def shutdown(self) -> None:
        """Called when the server begins to end, and again: closes what is idle, but nobody who has just connected."""
        self._last = True
        answered: RequestResponseCycle | None = self.cycle
        if answered and (self._between_requests or not answered.response_complete):
            super().shutdown()

    def _count(self, size: int) -> None:
        self._url_and_headers += size
        if self._url_and_headers > self.HEADER_BYTES:
            raise ValueError("too many header bytes")  # the parser makes it a 400 and closes

    def _arm(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.HEADER_SECONDS, self._too_late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        if cycle and not cycle.response_complete:
            self._arm()
        else:
            self.transport.close()


class CircuitProtocol(LoopbackProtocol):
    """Reads Tor's circuit line; scope["client"] is (circuit's address, 0) for every request of the connection.

    The circuit lives in this object and the scope only. A connection that begins otherwise is closed unanswered.
    """

    _line: bytes | None = b""  # None once it was read
    _circuit: str = ""

    def data_received(self, data: bytes) -> None:
        if self._line is not None:
            data = self._read_line(self._line + data)
        if data:
            super().data_received(data)

    def _read_line(self, data: bytes) -> bytes:
        """Take the line off `data`; what follows it, or nothing while the line is incomplete or wrong."""
        end = data.find(b"\r\n", 0, _LINE_LIMIT)
        if end < 0 and len(data) < _LINE_LIMIT:
            self._line = data
            return b""
        found = _CIRCUIT_LINE.fullmatch(data, 0, max(end, 0))
        if not found:
            self.transport.close()
            return b""
        self._line, self._circuit = None, found[1].decode()
        return data[end + 2 :]

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # Not in self.client: uvicorn writes that to its log at level trace.
        self.scope["client"] = (self._circuit, 0)
