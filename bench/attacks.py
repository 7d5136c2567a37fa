"""Attackers at the door: `python -m bench.attacks SOCKET NAME SECONDS`, one line of JSON: what they got.

Each plays tor, so it has as many circuits as it likes: the proof of work that makes them dear is not tried here.
"""

from __future__ import annotations

import asyncio
import functools
import json
import resource
import secrets
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

import uvloop

from sottovoce.protocol.words import Passphrase

from .visitors import COOKIE, LENGTH, LINE, Visitor, confirmed, message, token

EDITION = 1  # of the day before: the number of quarters since its begin
REPLAYS = 300
REPLAYED = "This form was solved once, and sent many times."
_ONE = (0, 0x15)
_PAUSE = 0.5  # seconds between what a slow one sends, and before somebody who was thrown out comes again
_BODY = b"text=" + b"x" * 900_000


@dataclass
class Attack:
    """One attack: until when it goes on, and what it got: served, refused by an answer, or closed without one."""

    socket: str
    until: float
    edition: int
    got: Counter[str] = field(default_factory=Counter)

    @property
    def on(self) -> bool:
        """Whether it goes on."""
        return time.monotonic() < self.until

    async def answer(self, reader: asyncio.StreamReader) -> bytes:
        """Reads one answer, and counts it; its head."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        await reader.readexactly(int(length[1]) if length else 0)
        self.got["served" if int(head[9:12]) < 400 else "refused"] += 1
        return head

    async def stall(self, writer: asyncio.StreamWriter, request: bytes) -> None:
        """Asks, and reads nothing; ConnectionError when the server ends that."""
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport is for both ways
        writer.write(request)
        while self.on:
            await asyncio.sleep(_PAUSE)
            _drop(writer, b"\r\n")  # by this one hears of an end without reading
        self.got["held"] += 1

    async def trickle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, drop: bytes) -> None:
        """Sends a little now and then; counts an answer that comes meanwhile. ConnectionError as `stall`."""
        answered = asyncio.create_task(self.answer(reader))
        try:
            while self.on and not answered.done():
                await asyncio.wait([answered], timeout=_PAUSE)
                _drop(writer, drop)
            if answered.done():
                await answered
            else:
                self.got["held"] += 1
        finally:
            answered.cancel()


def _drop(writer: asyncio.StreamWriter, drop: bytes) -> None:
    if writer.is_closing():
        raise ConnectionError("The server closed the connection.")
    writer.write(drop)


def post(path: str, body: bytes, length: int | None = None, more: bytes = b"") -> bytes:
    """A form's request; `length`: another one than the body's."""
    size = len(body) if length is None else length
    return b"POST %s HTTP/1.1\r\nHost: o.onion\r\n%sContent-Length: %d\r\n\r\n%s" % (path.encode(), more, size, body)


Does = Callable[[Attack], Awaitable[None]]
OnConnection = Callable[[Attack, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def again(circuit: tuple[int, int] | None = None, pause: float = 0.0) -> Callable[[OnConnection], Does]:
    """Does it on one connection after the other: of this circuit, or each of a fresh one; counts those that it lost."""

    def repeated(one: OnConnection) -> Does:
        @functools.wraps(one)
        async def does(attack: Attack) -> None:
            while attack.on:
                try:
                    await _connected(attack, circuit, one)
                except (OSError, EOFError):
                    attack.got["closed"] += 1
                    await asyncio.sleep(pause)

        return does

    return repeated


async def _connected(attack: Attack, circuit: tuple[int, int] | None, one: OnConnection) -> None:
    reader, writer = await asyncio.open_unix_connection(attack.socket)
    try:
        writer.write(LINE % (circuit or (secrets.randbits(16), secrets.randbits(16))))
        await one(attack, reader, writer)
    finally:
        writer.transport.abort()


_LARGE = urlencode({"text": "\u0645" * 150_000}).encode()
_NO_COOKIE = b"Cookie: s=%s\r\n" % secrets.token_hex(80).encode()
_OVERSIZED = (
    post("/en/write", b"", 2_000_000),
    b"GET / HTTP/1.1\r\nHost: o.onion\r\nx: " + b"y" * 20_000 + b"\r\n\r\n",
    post("/en/write", b"&".join(b"f%d=x" % number for number in range(100_000))),
    post("/en/enter", _LARGE.replace(b"text", b"words")),
    post("/en/write", _LARGE + b"&count="),
)
_JUNK = (
    post("/en/begin", secrets.token_bytes(5_000), more=_NO_COOKIE),
    post("/en/enter", b"words=" + b"%E4%BD%A0+" * 1_000 + b"&text=%00", more=_NO_COOKIE),
    post("/en/enter", b"words=" + b"abandon+" * 12 + secrets.token_hex(4_000).encode()),
    post("/en/check", b"token=%FF&a=a&a=b&b=&=", more=_NO_COOKIE),
    post("/en/write", b"token=" + b"A" * 4_000 + b"&text=x", more=_NO_COOKIE),
    post("/v1/envelopes", secrets.token_bytes(8_212)),
)


# -- what each does -------------------------------------------------------------------------


async def writes_on_one_circuit(attack: Attack) -> None:
    """One circuit writes one message after the other."""
    await _write(attack, _ONE)


async def writes_on_many_circuits(attack: Attack) -> None:
    """Each message comes from a new circuit."""
    await _write(attack, None)


def _the(visitor: Visitor) -> Callable[[], Visitor]:
    return lambda: visitor


async def _write(attack: Attack, circuit: tuple[int, int] | None) -> None:
    loop = asyncio.get_running_loop()
    while attack.on:
        visitor = Visitor([], circuit)
        with suppress(OSError):
            await loop.create_unix_connection(_the(visitor), attack.socket)
        try:
            await message(visitor)
            attack.got["served"] += 1
        except OSError:
            attack.got["refused"] += 1
        visitor.transport.abort()


@again(pause=_PAUSE)
async def slow_headers(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A header every half second."""
    writer.write(b"GET / HTTP/1.1\r\nHost: o.onion\r\n")
    await attack.trickle(reader, writer, b"x: y\r\n")


@again(pause=_PAUSE)
async def slow_bodies(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Nine tenths of the largest form at once, the rest byte by byte."""
    writer.write(post("/en/write", _BODY, 1_000_000))
    await attack.trickle(reader, writer, b"x")


@again(pause=_PAUSE)
async def stalled_readers_of_editions(attack: Attack, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Asks for the largest edition, and reads nothing of it."""
    await attack.stall(writer, b"GET /v1/editions/%d HTTP/1.1\r\nHost: o.onion\r\n\r\n" % attack.edition)


@again(pause=_PAUSE)
async def stalled_readers_of_pages(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Asks for as many inboxes as a circuit has a budget for, in one go, and reads nothing."""
    words = " ".join(Passphrase(secrets.token_bytes(16)).words())
    writer.write(post("/en/enter", urlencode({"words": words}).encode()))
    cookie = COOKIE.search(await attack.answer(reader))
    assert cookie
    await attack.stall(writer, b"GET /en/inbox HTTP/1.1\r\nHost: o.onion\r\nCookie: %s\r\n\r\n" % cookie[1] * 40)


async def _idle(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET / HTTP/1.1\r\nHost: o.onion\r\n\r\n")
    await attack.answer(reader)
    with suppress(TimeoutError):
        async with asyncio.timeout(attack.until - time.monotonic()):
            await reader.readexactly(1)
    attack.got["held"] += 1


@again(_ONE, _PAUSE)
async def idle_on_one_circuit(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One circuit opens connections, asks for a page on each, and keeps them."""
    await _idle(attack, reader, writer)


@again(None, _PAUSE)
async def idle_on_many_circuits(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Each connection is of a circuit of its own."""
    await _idle(attack, reader, writer)


@again()
async def oversized_fields(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Headers, forms and fields at and above their bounds."""
    writer.write(secrets.choice(_OVERSIZED))
    await attack.answer(reader)


@again()
async def junk_forms(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forms that no page of the door sends, with cookies that it never gave."""
    writer.write(secrets.choice(_JUNK))
    await attack.answer(reader)


async def replays(attack: Attack) -> None:
    """One solved form, sent 300 times as it is and 300 times with another text, each time by another circuit."""
    solver = Visitor([])
    await asyncio.get_running_loop().create_unix_connection(_the(solver), attack.socket)
    await confirmed(solver)
    form = {"token": token(await solver.ask(200, "/en/write")), "text": REPLAYED}
    cookie = solver.cookie
    await solver.ask(303, "/en/write", form)
    for turn in range(2 * REPLAYS):
        form["text"] = REPLAYED if turn % 2 else f"{REPLAYED} {turn}"
        request = post("/en/write", urlencode(form).encode(), more=cookie)
        await _connected(attack, None, functools.partial(_ask, request))
    solver.transport.abort()


async def _ask(request: bytes, attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(request)
    await attack.answer(reader)


class Kind(NamedTuple):
    """How many do it at the same time."""

    does: Does
    concurrent: int


KINDS = {
    each.does.__name__.replace("_", " "): each
    for each in (
        Kind(writes_on_one_circuit, 16),
        Kind(writes_on_many_circuits, 64),
        Kind(slow_headers, 2_000),
        Kind(slow_bodies, 500),
        Kind(stalled_readers_of_editions, 1_000),
        Kind(stalled_readers_of_pages, 200),
        Kind(idle_on_one_circuit, 10_000),
        Kind(idle_on_many_circuits, 10_000),
        Kind(oversized_fields, 16),
        Kind(junk_forms, 16),
        Kind(replays, 1),
    )
}


async def run(socket: str, name: str, seconds: float, edition: int) -> str:
    """What all attackers of a kind got in so many seconds."""
    kind, attack = KINDS[name], Attack(socket, time.monotonic() + seconds, edition)
    tasks = [asyncio.ensure_future(kind.does(attack)) for _ in range(kind.concurrent)]
    done, waiting = await asyncio.wait(tasks, timeout=seconds + 1)
    for task in waiting:  # who still waits for an answer
        task.cancel()
        attack.got["held"] += 1
    for task in done:
        task.result()
    return json.dumps(attack.got)


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(run(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))))
