"""Uvicorn's HTTP protocol with deadlines and bounds, and with Tor's circuit line before the first request.

Rules: 1. A request's headers end within HEADER_SECONDS of the connection's or the request's first byte, and within
HEADER_BYTES. 2. While an answer is under way the deadline waits, so pipelining can't cut it off. 3. Between requests
uvicorn's own timeout_keep_alive holds until the next byte; from then on rule 1. 4. Nothing is logged per request.
5. A server that ends still answers what is under way or has just connected, each as the last of its connection.
6. A body ends within BODY_SECONDS of its headers, and who takes nothing of an answer for SEND_SECONDS is cut off: a
close would wait for them. 7. Of requests before their turn PIPELINED_MOST are held. 8. The crowd bounds all together.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from .crowd import Crowd

_CIRCUIT_LINE = re.compile(rb"PROXY TCP6 (fc00:dead:beef:4dad::[0-9a-f]{1,4}:[0-9a-f]{1,4}) ::1 \d{1,5} \d{1,5}")
_LINE_LIMIT = 108  # bytes with CR LF: what the PROXY protocol's version 1 allows


class LoopbackProtocol(HttpToolsProtocol):
    """HTTP with deadline and bounds, without Tor's line: for a server that is reached over loopback only."""

    HEADER_SECONDS = 5.0
    HEADER_BYTES = 16_384
    BODY_SECONDS = 75.0  # whoever reads a body answers sooner; this is for those that nobody reads
    SEND_SECONDS = 60.0
    PIPELINED_MOST = 4  # no browser pipelines; each costs what a request costs
    UNSENT_BYTES = 16_384  # from here on an answer counts as not taken: more than most pages have
    crowd = Crowd()  # of this process, as its memory and its files are

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
        self._stalled: asyncio.TimerHandle | None = None
        self._body = 0  # bytes of the body that is being received or worked on
        self._in_headers = True
        self._between_requests = True
        self._last = False  # whether the next answer is the last on this connection
        self._header_bytes = 0  # received for headers that are still unfinished
        self._url_and_headers = 0  # what the parser made of them

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        transport.set_write_buffer_limits(self.UNSENT_BYTES)
        self._arm(self.HEADER_SECONDS)
        self.crowd.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.leave(self)
        self._disarm()
        self._flows()
        super().connection_lost(exc)

    def cut(self) -> None:
        """Ends at once; what was not sent is not sent."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._between_requests:
            self._arm(self.HEADER_SECONDS)  # a bare line break begins no request, yet ends uvicorn's own timeout
        headers_before = self._in_headers
        if headers_before:
            self._header_bytes += len(data)
        super().data_received(data)
        if headers_before and self._in_headers and self._header_bytes > self.HEADER_BYTES:
            self.transport.close()

    def on_message_begin(self) -> None:
        self._in_headers, self._between_requests = True, False
        self._url_and_headers = 0
        if len(self.pipeline) >= self.PIPELINED_MOST:
            self.cut()
            raise ValueError("too many requests before their turn")  # ends the parsing
        self._arm(self.HEADER_SECONDS)
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
        self._arm(self.BODY_SECONDS)
        self.crowd.step(self)
        super().on_headers_complete()
        if self._last:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        self.crowd.hold(self, self._body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._disarm()
        self._between_requests = True
        self._in_headers = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._body = 0
        self.crowd.hold(self, self.transport.get_write_buffer_size())
        self.crowd.step(self)
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.crowd.hold(self, self._body + self.transport.get_write_buffer_size())
        self._stalled = self._stalled or self.loop.call_later(self.SEND_SECONDS, self.cut)

    def resume_writing(self) -> None:
        self._flows()
        self.crowd.hold(self, self._body)
        self.crowd.step(self)
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came for long; who has not even taken the answer would make a close wait for ever."""
        self.cut()

    def send_400_response(self, msg: str) -> None:
        """Says that it was no HTTP, unless the connection was cut for it."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

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

    def _arm(self, seconds: float) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(seconds, self._too_late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        if self._in_headers and cycle and not cycle.response_complete:
            self._arm(self.HEADER_SECONDS)
        else:
            self.cut()

    def _flows(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


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
        self.crowd.name(self, self._circuit)
        return data[end + 2 :]

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # Not in self.client: uvicorn writes that to its log at level trace.
        self.scope["client"] = (self._circuit, 0)
