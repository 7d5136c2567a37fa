"""From the one database of 0.1 to one of each edition; the server closes those whose time is over at its next start.

The old one is overwritten when all of it is durable in the new ones, and not before. Whoever is interrupted begins
again: an envelope that is there already is not stored twice.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from . import disk
from .closing import Folders
from .edition import COUNT_MOST
from .editions import SUFFIX, numbers_in
from .errors import RoadError
from .pending import Pending, wipe_pending
from .steps import Step

_GROUP = 64  # envelopes of one commit: half a mebibyte


def upgrade_pool(folder: Path, name: str, step: Step) -> int:
    """Carries over all envelopes of the database `name` in a pool's folder; how many. RoadError, sqlite3.Error."""
    old, over = folder / name, folder / f"{name}-over"
    count = 0
    if old.exists():
        count = _spread(old, Folders(folder), step)
        old.rename(over)
        disk.sync_folder(folder)
        step("pool.renamed")
    if over.exists():
        wipe_pending(over, step)
    return count


def _spread(old: Path, folders: Folders, step: Step) -> int:
    base = sqlite3.connect(old, isolation_level=None, timeout=1)
    with contextlib.closing(base):
        base.execute("PRAGMA journal_mode = DELETE")  # takes its log in; refused while a server has it open
        counts = dict(base.execute("SELECT edition, count(*) FROM envelope GROUP BY edition ORDER BY edition"))
        if max(counts.values(), default=0) > COUNT_MOST or counts.keys() & set(numbers_in(folders.editions, SUFFIX)):
            raise RoadError("The pool of 0.1 doesn't fit into editions: leave it as it is, and tell the developers.")
        for number in counts:
            _fill(base, folders.pending, number, step)
            step("pool.edition")
    return sum(counts.values())


def _fill(base: sqlite3.Connection, folder: Path, number: int, step: Step) -> None:
    rows = base.execute("SELECT tag, sealed FROM envelope WHERE edition = ?", (number,))
    pending = Pending(folder, number)
    with contextlib.closing(pending):
        while some := rows.fetchmany(_GROUP):
            pending.insert({tag: sealed for tag, sealed in some if tag not in pending.tags}, step)
