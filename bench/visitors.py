"""Visitors at the door: `python -m bench.visitors SOCKET messages|visits SECONDS CONCURRENT`, one line of JSON.

Each visitor is a new source on a new connection, as tor would make it, and does what a person does, without a pause.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from typing import cast
from urllib.parse import urlencode

import uvloop

from sottovoce.protocol.words import Passphrase

TEXT = "They keep two sets of books. The second is in the cellar. " * 20  # about a page
LINE = b"PROXY TCP6 fc00:dead:beef:4dad::%x:%x ::1 65535 42\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
COOKIE = re.compile(rb"\r\nset-cookie: (s=[^;]+)", re.IGNORECASE)
_WORDS = re.compile(rb'<b class="big">(\w+)</b> <i>')
_PLACES = re.compile(rb'<label for="[ab]">Word (\d+)<')
_TOKEN = re.compile(rb'name="token" value="([\w-]+)"')
_ANSWER_SECONDS = 30


class Visitor(asyncio.Protocol):
    """One connection of one visitor; keeps its cookie and measures each page in seconds."""

    def __init__(self, times: list[float], circuit: tuple[int, int] | None = None) -> None:
        self._times, self.cookie, self._data = times, b"", b""
        self.circuit = circuit or (secrets.randbits(16), secrets.randbits(16))
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one, but by its methods only
        self._data = b""  # half an answer of an earlier connection is none
        self.transport.write(LINE % self.circuit)

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n") + 2
        if end < 2 or self._answer is None or self._answer.done():
            return
        head = self._data[:end]
        length = LENGTH.search(head)
        size = end + 2 + (int(length[1]) if length else 0)
        if len(self._data) < size:
            return
        if cookie := COOKIE.search(head):
            self.cookie = b"Cookie: %s\r\n" % cookie[1]
        content, self._data = self._data[end + 2 : size], self._data[size:]
        self._answer.set_result((int(head[9:12]), content))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("The server closed the connection."))

    async def ask(self, status: int, path: str, form: dict[str, str] | None = None) -> bytes:
        """A page's content; ConnectionError unless it comes with this status."""
        if self.transport.is_closing():  # it was closed before anything was asked: nobody would tell
            raise ConnectionError("The server closed the connection.")
        self._answer = asyncio.get_running_loop().create_future()
        body = b"" if form is None else urlencode(form).encode()
        post = b"" if form is None else b"Content-Length: %d\r\n" % len(body)
        start = b"%s %s HTTP/1.1\r\nHost: o.onion\r\n" % (b"GET" if form is None else b"POST", path.encode())
        begin = time.perf_counter()
        self.transport.write(start + self.cookie + post + b"\r\n" + body)
        got, content = await self._answer
        self._times.append(time.perf_counter() - begin)
        if got != status:
            raise ConnectionError(f"{path!r} was answered with {got}, not {status}.")
        return content


async def message(visitor: Visitor, text: str = TEXT) -> None:
    """A new source writes one message: eight pages."""
    await confirmed(visitor)
    await visitor.ask(303, "/en/write", {"token": token(await visitor.ask(200, "/en/write")), "text": text})
    await visitor.ask(200, "/en/sent")


async def confirmed(visitor: Visitor) -> None:
    """A new source takes its words, and gives two of them back: five pages."""
    await visitor.ask(200, "/")
    await visitor.ask(303, "/en/begin", {})
    words = _WORDS.findall(await visitor.ask(200, "/en/words"))
    check = await visitor.ask(200, "/en/check")
    a, b = (words[int(place) - 1].decode() for place in _PLACES.findall(check))
    await visitor.ask(303, "/en/check", {"token": token(check), "a": a, "b": b})


async def visit(visitor: Visitor) -> None:
    """A source comes back with its words and looks for answers: two pages."""
    words = Passphrase(secrets.token_bytes(16)).words()
    await visitor.ask(303, "/en/enter", {"words": " ".join(words)})
    await visitor.ask(200, "/en/inbox")


def token(page: bytes) -> str:
    """The token of a page's form."""
    found = _TOKEN.search(page)
    assert found
    return found[1].decode()


async def load(socket: str, does: Callable[[Visitor], Awaitable[None]], seconds: float, concurrent: int) -> str:
    """So many visitors at a time for so long; how many were done, in what time, and each page's time."""
    loop, times, done = asyncio.get_running_loop(), list[float](), 0
    begin = time.perf_counter()

    async def one_after_the_other() -> None:
        nonlocal done
        while time.perf_counter() - begin < seconds:
            transport, visitor = await loop.create_unix_connection(lambda: Visitor(times), socket)
            async with asyncio.timeout(_ANSWER_SECONDS):
                await does(visitor)
            transport.close()
            done += 1

    await asyncio.gather(*(one_after_the_other() for _ in range(concurrent)))
    took = time.perf_counter() - begin
    used = os.times()
    return json.dumps({"done": done, "seconds": took, "cpu": used.user + used.system, "times": times})


if __name__ == "__main__":
    kind = {"messages": message, "visits": visit}[sys.argv[2]]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(load(sys.argv[1], kind, float(sys.argv[3]), int(sys.argv[4]))))
