"""The envelopes of one edition that is not yet a file: a database of its own, wiped as a whole afterwards."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from . import disk
from .edition import padded
from .errors import RoadError
from .steps import Step

SCHEMA = 1
_ROWS = 64  # envelopes read at once while an edition is written: half a mebibyte
_SUFFIXES = ("", "-wal", "-shm", "-journal")
# WITHOUT ROWID: a row number would be the order of arrival.
_TABLE = "CREATE TABLE IF NOT EXISTS envelope (tag BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID"
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY")


def pending_path(folder: Path, number: int) -> Path:
    """Where an edition's envelopes lie until it closes."""
    return folder / f"{number}.sqlite3"


class Pending:
    """One connection, guarded by a lock; `tags` are all that are durable here, so few questions reach the disk."""

    def __init__(self, folder: Path, number: int) -> None:
        """Opens or makes the database of an edition, durably. sqlite3.Error and OSError when that fails."""
        self.number, self._path = number, pending_path(folder, number)
        self._lock = threading.Lock()
        self._base: sqlite3.Connection | None = _connect(self._path)
        try:
            self._prepare(self._base)
        except BaseException:
            self._base.close()
            raise
        disk.sync_folder(folder)  # before anything here is acknowledged
        self.coarsen()

    def _prepare(self, base: sqlite3.Connection) -> None:
        (version,) = base.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise RoadError("The pool was written by a newer version: install that version, or newer.")
        base.execute(_TABLE)
        base.execute(f"PRAGMA user_version = {SCHEMA}")
        self.tags = {tag for (tag,) in base.execute("SELECT tag FROM envelope")}

    def insert(self, fresh: Mapping[bytes, bytes], step: Step) -> None:
        """Stores envelopes by tag, all or none, synced; in order of tag, so a group hides the order within it."""
        with self._lock:
            base = self._open()
            try:
                base.execute("BEGIN IMMEDIATE")
                base.executemany("INSERT INTO envelope VALUES (?, ?)", sorted(fresh.items()))
                step("group.inserted")
                base.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    base.execute("ROLLBACK")
                raise
            self.tags.update(fresh)
        step("group.committed")
        self.coarsen()

    def envelope(self, tag: bytes) -> bytes | None:
        """The envelope under a tag; None when it is not here, or not any more."""
        if tag not in self.tags:
            return None
        with self._lock:
            if self._base is None:
                return None
            (sealed,) = self._base.execute("SELECT sealed FROM envelope WHERE tag = ?", (tag,)).fetchone()
        self.coarsen()
        return bytes(sealed)

    def pad(self, make_dummy: Callable[[], tuple[bytes, bytes]], step: Step) -> None:
        """Fills up with dummies, stored like all else: whoever closes this edition again writes the same bytes."""
        lacking = padded(len(self.tags)) - len(self.tags)
        dummies: dict[bytes, bytes] = {}
        while len(dummies) < lacking:
            dummies.update([make_dummy()])
        if dummies:
            self.insert(dummies, step)

    def envelopes(self) -> Iterator[bytes]:
        """All envelopes in order of tag; others may ask and look meanwhile."""
        with self._lock:
            rows = self._open().execute("SELECT sealed FROM envelope ORDER BY tag")
        while True:
            with self._lock:
                some: Iterable[tuple[bytes]] = rows.fetchmany(_ROWS)
            if not some:
                return
            for (sealed,) in some:
                yield sealed

    def coarsen(self) -> None:
        """The files' times say no more than the edition."""
        disk.coarsen(self.number, self._path.parent, *_files(self._path))

    def close(self) -> None:
        """Closes; the log is brought into the database, and wiped before SQLite removes it."""
        with self._lock:
            base, self._base = self._base, None
            if base is None:
                return
            with contextlib.suppress(sqlite3.Error):
                _, logged, moved = base.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
                if logged == moved:
                    disk.wipe(Path(f"{self._path}-wal"))
            base.close()
        self.coarsen()

    def _open(self) -> sqlite3.Connection:
        if self._base is None:
            raise RoadError("This edition is closed: nothing can be put into it.")
        return self._base


def wipe_pending(path: Path, step: Step) -> None:
    """Overwrites and removes a database whose edition is a durable file, or what is left of it."""
    files = [file for file in _files(path) if file.exists()]
    for file in reversed(files):  # the database last: while its name is there, this is done again
        disk.wipe(file)
    step("wipe.zeroed")
    for file in reversed(files):
        file.unlink(missing_ok=True)
    step("wipe.removed")
    disk.sync_folder(path.parent)


def _files(path: Path) -> list[Path]:
    return [Path(f"{path}{suffix}") for suffix in _SUFFIXES]


def _connect(path: Path) -> sqlite3.Connection:
    if not path.exists():
        disk.private_file(path).close()  # SQLite gives its logs the rights of the database
    base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in _PRAGMAS:
        base.execute(f"PRAGMA {pragma}")
    return base
