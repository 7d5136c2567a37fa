"""`python -m sottovoce.cli.worker FD`: a process that serves visitors, and is replaced after some minutes.

What visitors type and their words are in this process's memory and in no other's. Its starter hands it the sockets, and
the keys over the socket pair FD; puts and what was sent go back there. It ends with its starter, whatever happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from sottovoce.door.ledger import Claim, MemoryLedger
from sottovoce.door.session import VisitKeys, Visits
from sottovoce.onion.circuit import CircuitProtocol, LoopbackProtocol
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import Reply
from sottovoce.trust.published import SignedFolder

from . import common
from .channel import Channel, Word, pack, put_ask, read_reply, unpack
from .common import random
from .site import Listener, Site, listener

_LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Setup:
    """What a worker is told at its start, over the socket pair. The numbers of sockets are inherited ones."""

    folder: str
    cookie_key: bytes
    token_key: bytes
    door: int
    circuits: bool  # whether Tor's circuit line comes before a connection's first request
    loopback: int | None  # a second, public address of this machine only, with its own alarm
    banner: str | None
    loopback_banner: str | None
    unreviewed: bool  # whether languages are offered that nobody signed off
    seconds: float  # how long it works before it asks for its replacement,
    requests: int  # or how many requests,
    least_seconds: float  # but not sooner than after so long
    drain_seconds: float  # how long its last request may take
    ended: Sequence[bytes]

    def pack(self) -> bytes:
        """As one frame."""
        return pack(asdict(self))

    @classmethod
    def unpack(cls, content: bytes) -> Setup:
        """The other way."""
        values: dict[str, Any] = unpack(content)
        return cls(**values)


class FarLedger:
    """The starter's ledger from here; which visits ended, every worker is told at once."""

    def __init__(self, channel: Channel, near: MemoryLedger) -> None:
        self._channel, self._near = channel, near

    def ended(self, visit: bytes) -> bool:
        """Whether a visit was ended."""
        return self._near.ended(visit)

    async def end(self, visit: bytes) -> None:
        """The visit is over, at all workers."""
        await self._near.end(visit)
        await self._channel.ask(Word.END, visit)

    async def claim(self, form: bytes, digest: bytes) -> Claim:
        """What the form is to all workers."""
        answer = await self._channel.ask(Word.CLAIM, digest + form)
        return Claim[answer.decode()]

    async def settle(self, form: bytes, *, done: bool) -> None:
        """This worker is through with the form."""
        await self._channel.ask(Word.SETTLE, bytes([done]) + form)


class FarPool:
    """The starter's pool for puts; editions are read here, so that nobody else learns whose tags are looked for."""

    def __init__(self, channel: Channel, editions: Editions) -> None:
        self._channel, self._editions = channel, editions

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Stores one envelope durably (spec 9.1)."""
        return read_reply(await self._channel.ask(Word.PUT, put_ask(epoch, tag, envelope)))

    async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes under some of these tags in closed editions."""
        return await self._editions.find(tags)


class Worker:
    """One worker from its setup to its end; `now` is the protocol's clock, `visits_now` that of visits."""

    def __init__(self, now: Callable[[], float], visits_now: Callable[[], float]) -> None:
        self._now, self._visits_now = now, visits_now
        self._near = MemoryLedger(visits_now)
        self._setup: asyncio.Future[Setup] = asyncio.get_running_loop().create_future()
        self._drain = asyncio.Event()

    async def run(self, end: socket.socket) -> None:
        """Serves until the starter has a successor ready, or is gone."""
        channel = await Channel.open(end, self._answer, self._hear)
        serving = asyncio.create_task(self._serve(channel))
        lost = asyncio.create_task(channel.lost.wait())
        await asyncio.wait([serving, lost], return_when=asyncio.FIRST_COMPLETED)
        if lost.done():
            os._exit(0)  # without a starter nothing can be taken; whoever waits tries again
        await serving

    async def _answer(self, word: Word, _: bytes) -> bytes:
        if word is not Word.PING:
            raise ValueError(f"a worker is only asked whether it is there, and this was {word.name}")
        return b""

    def _hear(self, word: Word, content: bytes) -> None:
        if word is Word.SETUP:
            self._setup.set_result(Setup.unpack(content))
        elif word is Word.ENDED:
            self._near.note_ended([content])
        elif word is Word.DRAIN:
            self._drain.set()

    async def _serve(self, channel: Channel) -> None:
        setup = await self._setup
        self._near.note_ended(setup.ended)
        serving = [
            (each, asyncio.create_task(each.serve(sockets)))
            for each, sockets in self._listeners(setup, self._site(setup, channel))
        ]
        listeners = [each for each, _ in serving]
        while not all(each.started for each in listeners):  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.005)
        gc.collect()
        gc.freeze()  # what was loaded until now stays: nobody need look for garbage in it, again and again
        channel.say(Word.READY)
        _be_silent()
        await self._work(setup, channel, listeners)
        for each in listeners:
            each.config.timeout_graceful_shutdown = max(1, round(setup.drain_seconds))
            each.should_exit = True
        tasks = [task for _, task in serving]
        while (await asyncio.wait(tasks, timeout=1))[1]:
            for each in listeners:
                each.hurry()

    def _site(self, setup: Setup, channel: Channel) -> Site:
        folder = Path(setup.folder)
        editions = Editions(folder / "pool" / "editions")
        keys = VisitKeys(setup.cookie_key, setup.token_key)
        visits = Visits(keys, FarLedger(channel, self._near), self._visits_now, random)
        return Site(
            SignedFolder(folder / "signed"), FarPool(channel, editions), editions, visits, self._now, setup.unreviewed
        )

    def _listeners(self, setup: Setup, site: Site) -> list[tuple[Listener, list[socket.socket]]]:
        protocol = CircuitProtocol if setup.circuits else LoopbackProtocol
        made = [(listener(site.app(setup.banner), protocol), [socket.socket(fileno=setup.door)])]
        if setup.loopback is not None:
            here = listener(site.app(setup.loopback_banner), LoopbackProtocol)
            made.append((here, [socket.socket(fileno=setup.loopback)]))
        return made

    async def _work(self, setup: Setup, channel: Channel, listeners: Sequence[Listener]) -> None:
        begin, said = time.monotonic(), False
        while not self._drain.is_set():
            worked = time.monotonic() - begin
            requests = sum(each.server_state.total_requests for each in listeners)
            due = worked >= setup.seconds or (requests >= setup.requests and worked >= setup.least_seconds)
            if due and not said:
                channel.say(Word.DUE)
                said = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._drain.wait(), _LOOK_SECONDS)


def _be_silent() -> None:
    """From now on nothing is written anywhere: a traceback could hold what a visitor typed."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def main(now: Callable[[], float] = common.now, visits_now: Callable[[], float] = time.time) -> None:
    """Works for the starter at the other end of the socket pair that the arguments name."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    LoopbackProtocol.crowd.take_files()
    os.umask(0o077)
    end = socket.socket(fileno=int(sys.argv[1]))

    async def work() -> None:
        await Worker(now, visits_now).run(end)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


if __name__ == "__main__":
    main()
