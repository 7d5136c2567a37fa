"""The members' mailbox: sealed items in SQLite; an acknowledged post survives kill -9.

A row says to which slot an item goes, on which day it came, and by what hash its receiver may delete it. Who sent it
and when, nothing says: rows have no numbers, are keyed by a hash, and are rewritten in that order once a day.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeVar

from sottovoce.protocol.sizes import ANSWER_EPOCHS, EDITION_SECONDS, HASH, SLOTS, edition_of, epoch_of

from .errors import RoadError

ITEM = 12_288  # a week's duty keys, or a forwarded plaintext, with room
RECEIPT = 16
ITEMS_MOST = 4_096  # a slot: 50 MB, more than a month of catching up
AT_ONCE = 64  # items an answer: 786 kB, a second over Tor
Notice = Literal["absence", "compromise"]  # what members tell sources besides; whoever verifies knows the bytes
NOTICES: tuple[Notice, ...] = ("absence", "compromise")
_REWRITE_MOST = 64 << 20  # bytes of a file that is rewritten in memory
SCHEMA = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS item (receipt BLOB PRIMARY KEY, slot INTEGER NOT NULL, epoch INTEGER NOT NULL,
  sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS box ON item (slot, epoch);
"""
T = TypeVar("T")


class PostResult(Enum):
    """How a post to the mailbox ended: only STORED and KNOWN mean that the item is safe."""

    STORED = "stored"
    KNOWN = "the same item was there already"
    STALE = "the transport key is not the slot's newest, or the receipt was used: seal again"
    FULL = "the slot's box is full"


class Mailbox:
    """All slots' boxes in one file, worked on by one thread. RoadError when it can't be read or written."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        """Opens or makes the file in a folder that only its owner can read."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path, self._now = path, now
        self._worker = ThreadPoolExecutor(1, "mailbox")
        self._turned = 0
        self._db = _connect(path)
        self._coarsen()

    async def known(self, slot: int, receipt_hash: bytes, item: bytes) -> bool:
        """Whether exactly this item lies there: its sender missed the answer."""
        return await self._run(lambda: self._held(receipt_hash) == (slot, item))

    async def post(self, slot: int, receipt_hash: bytes, item: bytes) -> PostResult:
        """Stores an item for a slot; returns when it is on the disk."""
        if not 0 <= slot < SLOTS or len(receipt_hash) != HASH or len(item) != ITEM:
            raise ValueError("a post has a slot, the receipt's hash and an item of their exact sizes")
        return await self._run(lambda: self._post(slot, receipt_hash, item))

    def _post(self, slot: int, receipt_hash: bytes, item: bytes) -> PostResult:
        held = self._held(receipt_hash)
        if held is not None:
            return PostResult.KNOWN if held == (slot, item) else PostResult.STALE
        (count,) = self._db.execute("SELECT count(*) FROM item WHERE slot = ?", (slot,)).fetchone()
        if count >= ITEMS_MOST:
            return PostResult.FULL
        row = (receipt_hash, slot, epoch_of(self._now()), item)
        self._db.execute("INSERT INTO item VALUES (?, ?, ?, ?)", row)
        self._settle()
        return PostResult.STORED

    def _held(self, receipt_hash: bytes) -> tuple[int, bytes] | None:
        row = self._db.execute("SELECT slot, sealed FROM item WHERE receipt = ?", (receipt_hash,)).fetchone()
        return row if row is None else (row[0], row[1])

    async def items(self, slot: int) -> list[bytes]:
        """A slot's items of the newest days, at most 64, in order of their receipts' hashes.

        Which of one day's come first is drawn anew each time: so nobody's unreadable ones hide the others for ever.
        """
        query = "SELECT receipt FROM item WHERE slot = ? ORDER BY epoch DESC, random() LIMIT ?"

        def read() -> list[bytes]:
            chosen = sorted(receipt for (receipt,) in self._db.execute(query, (slot, AT_ONCE)).fetchall())
            held = (self._held(receipt) for receipt in chosen)
            return [item[1] for item in held if item is not None]

        return await self._run(read)

    async def acknowledge(self, receipts: Sequence[bytes]) -> None:
        """Deletes the items whose receipts these are; others are nobody's, and delete nothing."""
        await self._run(lambda: self._delete([sha256(receipt).digest() for receipt in receipts]))

    def _delete(self, hashes: Sequence[bytes]) -> None:
        marks = ",".join("?" * len(hashes))
        self._db.execute(f"DELETE FROM item WHERE receipt IN ({marks})", hashes)  # noqa: S608 only question marks
        self._settle()

    async def turn(self) -> None:
        """Once a day: what came more than 30 epochs ago dies, and what stays is rewritten in order of its keys."""
        await self._run(self._turn)

    def _turn(self) -> None:
        today = epoch_of(self._now())
        if today == self._turned:
            return
        self._db.execute("DELETE FROM item WHERE epoch < ?", (today - ANSWER_EPOCHS,))
        if self._path.stat().st_size <= _REWRITE_MOST:
            self._db.execute("VACUUM")
        self._settle()
        self._turned = today

    def _settle(self) -> None:
        """The log is cut, and the files' times say no more than the edition (DESIGN: no finer time on disk)."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._coarsen()

    def _coarsen(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                os.utime(f"{self._path}{suffix}", (edition_of(self._now()) * EDITION_SECONDS,) * 2)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, work)
        except sqlite3.Error as error:
            raise RoadError("The mailbox can't be used: look at the disk's room and rights.") from error

    def close(self) -> None:
        """Ends after what is under way."""
        self._worker.shutdown()
        self._db.close()
        self._coarsen()


def _connect(path: Path) -> sqlite3.Connection:
    existed = path.exists()
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    if not existed:
        path.chmod(0o600)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA:
        connection.close()
        raise RoadError("The mailbox was written by a newer version: install that version, or newer.")
    connection.executescript(_TABLES)
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
    return connection
