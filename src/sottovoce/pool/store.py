"""Envelopes in SQLite, keyed by tag; an acknowledged envelope survives kill -9."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from sottovoce.protocol.sizes import ANSWER_EPOCHS, EDITION_SECONDS, ENVELOPE, QUARTERS, TAG, edition_of, epoch_of

from .errors import PutResult, RoadError

GROUP = 256  # puts that share one commit: 2 MiB, written in well under a tenth of a second
SCHEMA = 1
# WITHOUT ROWID: a row number would be the order of arrival. The index holds no envelopes, so look-ups stay small.
_TABLES = """
CREATE TABLE IF NOT EXISTS envelope
  (tag BLOB PRIMARY KEY, edition INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS live ON envelope (tag, edition);
"""

Put = tuple[bytes, bytes, "asyncio.Future[PutResult]"]


class Pool(Protocol):
    """A store of envelopes; later also PostgreSQL and S3."""

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> PutResult:
        """Stores one envelope durably. RoadError when the store can't be written."""

    async def look_up(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes that lie under some of these tags, by tag."""

    async def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is there, in order of tag."""


class SqlitePool:
    """The embedded default: one file, one writing thread, group commit."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        """Opens or makes the store in a folder that only its owner can read."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path, self._now = path, now
        self._expired_in = 0
        self._writes: queue.SimpleQueue[Put | None] = queue.SimpleQueue()
        self._reader = ThreadPoolExecutor(1, "pool-reader")
        self._write_connection = _connect(path)
        self._prepare()
        self._read_connection = _connect(path)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer = threading.Thread(target=self._write_all, name="pool-writer", daemon=True)
        self._writer.start()

    def _prepare(self) -> None:
        (version,) = self._write_connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise RoadError("The pool was written by a newer version: install that version, or newer.")
        self._write_connection.executescript(_TABLES)
        self._write_connection.execute(f"PRAGMA user_version = {SCHEMA}")

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> PutResult:
        """Stores one envelope; returns when it is on the disk. The epoch is checked and forgotten (spec 9.1)."""
        if len(tag) != TAG or len(envelope) != ENVELOPE:
            raise ValueError("a put has a tag and an envelope of their exact sizes")
        today = epoch_of(self._now())
        if epoch not in (today, today - 1):
            return PutResult.WRONG_EPOCH
        self._loop = asyncio.get_running_loop()
        result: asyncio.Future[PutResult] = self._loop.create_future()
        self._writes.put((tag, envelope, result))
        return await result

    async def look_up(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes under some of these tags (at most 32,000), by tag."""
        marks = ",".join("?" * len(tags))
        hits = await self._read(f"SELECT tag FROM envelope INDEXED BY live WHERE tag IN ({marks})", tags)  # noqa: S608 only question marks
        marks = ",".join("?" * len(hits))
        rows = await self._read(f"SELECT tag, sealed FROM envelope WHERE tag IN ({marks})", [tag for (tag,) in hits])  # noqa: S608 only question marks
        return dict(rows)

    async def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is there, in order of tag: which says nothing about arrival."""
        return await self._read("SELECT edition, tag FROM envelope INDEXED BY live ORDER BY tag", [])

    async def _read(self, query: str, values: Sequence[bytes]) -> list[Any]:
        def run() -> list[Any]:
            return self._read_connection.execute(query, values).fetchall()

        return await asyncio.get_running_loop().run_in_executor(self._reader, run)

    def close(self) -> None:
        """Writes what waits, and closes."""
        self._writes.put(None)
        self._writer.join()
        self._reader.shutdown()
        self._write_connection.close()
        self._read_connection.close()
        self._coarsen_times(edition_of(self._now()))  # the last to close writes the log into the file

    def _write_all(self) -> None:
        while (group := self._next_group()) is not None:
            self._answer(group, *self._write(group))

    def _next_group(self) -> list[Put] | None:
        first = self._writes.get()
        if first is None:
            return None
        group = [first]
        with contextlib.suppress(queue.Empty):
            while len(group) < GROUP:
                put = self._writes.get_nowait()
                if put is None:
                    self._writes.put(None)  # the end came: first what waits, then the end
                    break
                group.append(put)
        return group

    def _expire(self, edition: int) -> None:
        """Deletes what no source looks for any more, once an edition; secure_delete overwrites it."""
        if edition != self._expired_in:
            oldest = edition - (ANSWER_EPOCHS + 2) * QUARTERS
            self._write_connection.execute("DELETE FROM envelope WHERE edition < ?", (oldest,))
            self._expired_in = edition

    def _write(self, group: list[Put]) -> tuple[list[PutResult], Exception | None]:
        edition = edition_of(self._now())
        try:
            self._write_connection.execute("BEGIN IMMEDIATE")
            self._expire(edition)
            results = [self._insert(tag, edition, envelope) for tag, envelope, _ in group]
            self._write_connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._write_connection.execute("ROLLBACK")
            return [], error
        self._coarsen_times(edition)
        return results, None

    def _insert(self, tag: bytes, edition: int, envelope: bytes) -> PutResult:
        statement = "INSERT OR IGNORE INTO envelope VALUES (?, ?, ?)"
        if self._write_connection.execute(statement, (tag, edition, envelope)).rowcount:
            return PutResult.STORED
        (held,) = self._write_connection.execute("SELECT sealed FROM envelope WHERE tag = ?", (tag,)).fetchone()
        return PutResult.KNOWN if held == envelope else PutResult.TAKEN

    def _coarsen_times(self, edition: int) -> None:
        """The files' times say no more than the edition (DESIGN: no finer time on disk)."""
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                os.utime(f"{self._path}{suffix}", (edition * EDITION_SECONDS,) * 2)

    def _answer(self, group: list[Put], results: list[PutResult], error: Exception | None) -> None:
        def answer() -> None:
            for place, (_, _, future) in enumerate(group):
                if future.done():  # who asked has gone
                    continue
                if error is None:
                    future.set_result(results[place])
                else:
                    future.set_exception(RoadError("The pool can't be written: look at the disk's room and rights."))

        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and everybody who waited with it
                self._loop.call_soon_threadsafe(answer)


def _connect(path: Path) -> sqlite3.Connection:
    existed = path.exists()
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    if not existed:
        path.chmod(0o600)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
