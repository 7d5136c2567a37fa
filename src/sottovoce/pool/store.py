"""The pool's store in SQLite and files: an acknowledged envelope survives kill -9 and a power cut.

Rules: 1. The open edition's number only grows; when the clock goes back, nothing closes until it has caught up.
2. One thread writes, and moves on to the next edition's database before the old one is closed in another thread.
3. An edition is a function of its database (closing.py), so it is written once however often it is begun.
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

from sottovoce.protocol.sizes import ENVELOPE, QUARTERS, TAG, edition_of

from . import disk
from .closing import Folders, close_edition, expire
from .edition import COUNT_MOST, next_hour, size_of
from .editions import Editions
from .errors import PutResult, Reply, RoadError
from .pending import Pending, Step, pending_path, wipe_pending

GROUP = 256  # puts that share one commit: 2 MiB, written in well under a tenth of a second
EDITION_MOST = COUNT_MOST  # envelopes taken in one edition
RESERVE = 64 << 20  # bytes that stay free, so that what is pending can always be closed
STEPS = (  # where `step` is called, in their order; a test can end the process at each
    "group.begun",  # judged, and nothing is written
    "group.inserted",  # written, and not committed
    "group.committed",  # durable, and nobody was told
    "group.answered",
    "turn.opened",  # the next edition's database is there; from here on puts go into it
    "close.padded",  # the dummies are durable
    "close.written",  # a new file was written, not synced: the edition, then its hash
    "close.synced",  # and synced, under another name
    "close.named",  # both have their names; the folder isn't synced
    "close.durable",
    "wipe.zeroed",  # the database is overwritten
    "wipe.removed",
    "expire.begun",  # an epoch's files are going
    "expire.removed",  # one is gone
    "expire.durable",
)


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
        self._now, self._make_dummy, self._step, self._most = now, make_dummy, step, min(most, EDITION_MOST)
        self._folders = Folders(folder)
        self._folders.recover(step)
        self._editions = Editions(self._folders.editions)
        self._editions.refresh()
        number = max(edition_of(now()), self._folders.least_open())
        self._open = Pending(self._folders.pending, number)
        older = (waits for waits in self._folders.waiting() if waits != number)
        self._closing = tuple(Pending(self._folders.pending, waits) for waits in older)
        self._guard = threading.Lock()  # of `_closing`, which both threads change
        disk.coarsen(number, self._folders.editions)
        self._writes: queue.SimpleQueue[_Put | Future[None] | None] = queue.SimpleQueue()
        self._closer = ThreadPoolExecutor(1, "pool-closer")
        self._writer = threading.Thread(target=self._write_all, name="pool-writer", daemon=True)
        self._writer.start()
        self._closer.submit(self._close_due, Future(), None)  # what an earlier run left

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Stores one envelope; returns when it is on the disk. The epoch is checked and forgotten (spec 9.1)."""
        if len(tag) != TAG or len(envelope) != ENVELOPE:
            raise ValueError("a put has a tag and an envelope of their exact sizes")
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._writes.put(_Put(epoch, tag, envelope, reply))
        return await reply

    async def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is in no edition yet, in order of tag: which says nothing about arrival."""
        return await asyncio.to_thread(self._pending)

    async def fetch(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes under some of these tags, by tag; also those whose edition closed since they were listed."""
        found = await asyncio.to_thread(lambda: {tag: self._held(tag) for tag in tags})
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
        for each in self._all_pending():
            each.close()

    def _all_pending(self) -> tuple[Pending, ...]:
        return (self._open, *self._closing)

    def _pending(self) -> list[tuple[int, bytes]]:
        tags = ((each.number, tag) for each in self._all_pending() for tag in each.tags.copy())
        return sorted(tags, key=lambda item: item[1])

    def _held(self, tag: bytes) -> bytes | None:
        """What lies under a tag anywhere. An edition is taken in before its database goes, so nothing is missed."""
        for each in self._all_pending():
            sealed = each.envelope(tag)
            if sealed is not None:
                return sealed
        return self._editions.get(tag)

    # ---- the writing thread

    def _write_all(self) -> None:
        while (group := self._next_group()) is not None:
            puts = [each for each in group if isinstance(each, _Put)]
            error = self._attempt_turn()
            if puts:
                self._answer(puts, [] if error else self._attempt(puts))
            for done in group:
                if isinstance(done, Future):
                    self._closer.submit(self._close_due, done, error)

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

    def _attempt_turn(self) -> Exception | None:
        """Moves on to a new edition when its time has come."""
        edition = edition_of(self._now())
        if edition <= self._open.number:
            return None
        try:
            following = Pending(self._folders.pending, edition)
        except (sqlite3.Error, OSError, RoadError) as error:
            return error
        self._step("turn.opened")
        with self._guard:
            self._closing = (*self._closing, self._open)  # first: a reader finds it there or here
        self._open = following
        self._closer.submit(self._close_due, Future(), None)
        return None

    def _attempt(self, puts: Sequence[_Put]) -> list[PutResult]:
        """The results of puts; none when they can't be written."""
        fresh: dict[bytes, bytes] = {}
        room = self._room()
        try:
            results = [self._judge(put, fresh, room) for put in puts]
            self._step("group.begun")
            if fresh:
                self._open.insert(fresh, self._step)
        except (sqlite3.Error, OSError, RoadError):
            return []
        return results

    def _judge(self, put: _Put, fresh: dict[bytes, bytes], room: int) -> PutResult:
        held = fresh.get(put.tag) or self._held(put.tag)
        if held is not None:
            return PutResult.KNOWN if held == put.envelope else PutResult.TAKEN
        today = self._open.number // QUARTERS
        if put.epoch not in (today, today - 1):
            return PutResult.WRONG_EPOCH
        if len(fresh) >= room:
            return PutResult.FULL
        fresh[put.tag] = put.envelope
        return PutResult.STORED

    def _room(self) -> int:
        """How many envelopes may still be taken: what is pending needs as much room again when it is closed."""
        waiting = sum(len(each.tags) for each in self._all_pending())
        free = disk.free_bytes(self._folders.pending) - RESERVE
        by_disk = (free // size_of(1) - waiting) // 2
        return min(self._most - len(self._open.tags), by_disk)

    def _answer(self, puts: Sequence[_Put], results: Sequence[PutResult]) -> None:
        number = self._open.number
        for place, put in enumerate(puts):
            reply = Reply(results[place], number // QUARTERS, next_hour(number)) if results else None
            with contextlib.suppress(RuntimeError):  # the loop has ended, and everybody who waited with it
                put.reply.get_loop().call_soon_threadsafe(_tell, put.reply, reply)
        self._step("group.answered")

    # ---- the closing thread

    def _close_due(self, done: Future[None], error: Exception | None) -> None:
        try:
            if error:
                raise error
            for each in sorted(self._closing, key=lambda pending: pending.number):
                self._close(each)
        except (sqlite3.Error, OSError, RoadError) as fault:
            failed = RoadError("An edition can't be closed: look at the disk's room and rights.")
            failed.__cause__ = fault
            done.set_exception(failed)
        else:
            done.set_result(None)

    def _close(self, pending: Pending) -> None:
        epoch = pending.number // QUARTERS
        close_edition(self._folders, pending, lambda: self._make_dummy(epoch), self._step)
        self._editions.refresh()
        with self._guard:
            self._closing = tuple(each for each in self._closing if each is not pending)
        pending.close()
        wipe_pending(pending_path(self._folders.pending, pending.number), self._step)
        expire(self._folders, self._open.number // QUARTERS, self._step)
        self._editions.refresh()
        disk.coarsen(pending.number, self._folders.editions)
        self._open.coarsen()


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
