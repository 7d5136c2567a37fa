"""The pool's store in SQLite and files: an acknowledged envelope survives kill -9 and a power cut.

One thread writes, and goes on with the next edition's database before another thread closes the old one (shelf.py). An
edition's file is a function of its database (closing.py), so it is written once however often its close is begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from sottovoce.protocol.sizes import ENVELOPE, QUARTERS, TAG

from .edition import COUNT_MOST, next_hour
from .editions import Editions
from .errors import PutResult, Reply, RoadError
from .shelf import Shelf
from .steps import Step

GROUP = 256  # puts that share one commit: 2 MiB, written in well under a tenth of a second
EDITION_MOST = COUNT_MOST  # envelopes taken in one edition
_FAULTS = (sqlite3.Error, OSError, RoadError)


class Putter(Protocol):
    """Where envelopes are put."""

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Stores one envelope durably. RoadError when the store can't be written or reached."""


class Pool(Putter, Protocol):
    """What a source needs: to put, and to find in editions that have closed."""

    async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes that lie under some of these tags in closed editions, by tag."""


class MemberPool(Protocol):
    """What members need besides: what is in no edition yet."""

    async def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is in no edition yet, in order of tag."""

    async def fetch(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes under some of these tags, pending or just closed, by tag."""


class _Put(NamedTuple):
    epoch: int
    tag: bytes
    envelope: bytes
    reply: asyncio.Future[Reply]


class SqlitePool:
    """The embedded default: a folder, one writing thread with group commit, one closing thread."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], float],
        make_dummy: Callable[[int], tuple[bytes, bytes]],
        *,
        most: int = EDITION_MOST,
        step: Step = lambda name: None,
    ) -> None:
        """Opens or makes the store; RoadError, OSError, sqlite3.Error. `make_dummy`: tag and envelope for an epoch."""
        self._now, self._step = now, step
        self._shelf = Shelf(folder, now(), make_dummy, min(most, EDITION_MOST), step)
        self._writes: queue.SimpleQueue[_Put | Future[None] | None] = queue.SimpleQueue()
        self._closer = ThreadPoolExecutor(1, "pool-closer")
        self._writer = threading.Thread(target=self._write_all, name="pool-writer", daemon=True)
        self._writer.start()
        self._closer.submit(self._close_due, Future())  # what an earlier run left

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Stores one envelope; returns when it is on the disk. The epoch is checked and forgotten (spec 9.1)."""
        if len(tag) != TAG or len(envelope) != ENVELOPE:
            raise ValueError("a put has a tag and an envelope of their exact sizes")
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._writes.put(_Put(epoch, tag, envelope, reply))
        return await reply

    async def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is in no edition yet, in order of tag: which says nothing about arrival."""
        return await asyncio.to_thread(self._shelf.pending)

    async def fetch(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes under some of these tags, by tag; also those whose edition closed since they were listed."""
        found = await asyncio.to_thread(lambda: {tag: self._shelf.held(tag) for tag in tags})
        return {tag: sealed for tag, sealed in found.items() if sealed is not None}

    def turn(self) -> Future[None]:
        """Closes and expires what is due; to be called every few seconds. Done when that is; RoadError: try again."""
        done: Future[None] = Future()
        self._writes.put(done)
        return done

    def close(self) -> None:
        """Writes what waits, ends what is being closed, and closes."""
        self._writes.put(None)
        self._writer.join()
        self._closer.shutdown()
        self._shelf.close()

    def _write_all(self) -> None:
        while (group := self._next_group()) is not None:
            puts = [each for each in group if isinstance(each, _Put)]
            fault = self._turn()
            if puts:
                self._answer(puts, [] if fault else self._write(puts))
            for done in group:
                if isinstance(done, Future):
                    self._closer.submit(self._close_due, done, fault)

    def _next_group(self) -> list[_Put | Future[None]] | None:
        first = self._writes.get()
        if first is None:
            return None
        group = [first]
        with contextlib.suppress(queue.Empty):
            while len(group) < GROUP:
                each = self._writes.get_nowait()
                if each is None:
                    self._writes.put(None)  # the end came: first what waits, then the end
                    break
                group.append(each)
        return group

    def _turn(self) -> Exception | None:
        try:
            if self._shelf.turn(self._now()):
                self._closer.submit(self._close_due, Future())
        except _FAULTS as fault:
            return fault
        return None

    def _close_due(self, done: Future[None], fault: Exception | None = None) -> None:
        try:
            if fault:
                raise fault
            self._shelf.close_due()
        except _FAULTS as error:
            failed = RoadError("An edition can't be closed: look at the disk's room and rights.")
            failed.__cause__ = error
            done.set_exception(failed)
        except BaseException as error:
            done.set_exception(error)  # a fault of ours: whoever waits must not wait for ever
            raise
        else:
            done.set_result(None)

    def _write(self, puts: Sequence[_Put]) -> list[PutResult]:
        """The results of puts; none when they can't be written."""
        fresh: dict[bytes, bytes] = {}
        try:
            room = self._shelf.room()
            results = [self._judge(put, fresh, room) for put in puts]
            self._step("group.begun")
            if fresh:
                self._shelf.open.insert(fresh, self._step)
        except _FAULTS:
            return []
        return results

    def _judge(self, put: _Put, fresh: dict[bytes, bytes], room: int) -> PutResult:
        held = fresh.get(put.tag) or self._shelf.held(put.tag)
        if held is not None:
            return PutResult.KNOWN if held == put.envelope else PutResult.TAKEN
        today = self._shelf.open.number // QUARTERS
        if put.epoch not in (today, today - 1):
            return PutResult.WRONG_EPOCH
        if len(fresh) >= room:
            return PutResult.FULL
        fresh[put.tag] = put.envelope
        return PutResult.STORED

    def _answer(self, puts: Sequence[_Put], results: Sequence[PutResult]) -> None:
        number = self._shelf.open.number
        for place, put in enumerate(puts):
            reply = Reply(results[place], number // QUARTERS, next_hour(number)) if results else None
            with contextlib.suppress(RuntimeError):  # the loop has ended, and everybody who waited with it
                put.reply.get_loop().call_soon_threadsafe(_tell, put.reply, reply)
        self._step("group.answered")


def _tell(future: asyncio.Future[Reply], reply: Reply | None) -> None:
    if future.done():  # who asked has gone
        return
    if reply is None:
        future.set_exception(RoadError("The pool can't be written: look at the disk's room and rights."))
    else:
        future.set_result(reply)


@dataclass(frozen=True)
class LocalPool:
    """Store and editions of one process as the pool of a source."""

    store: Putter
    editions: Editions

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Stores one envelope (spec 9.1)."""
        return await self.store.put(epoch, tag, envelope)

    async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes under some of these tags in closed editions."""
        return await self.editions.find(tags)
