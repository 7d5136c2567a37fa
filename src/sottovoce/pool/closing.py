"""From a pending database to an immutable file, and from old files to nothing (spec 9.6, 9.10).

Whoever is interrupted at any point begins again and writes the same bytes: the dummies that fill an edition are stored
with the envelopes first, and its order is that of its tags. What was pending is wiped only after the file is durable.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from sottovoce.protocol.sizes import ANSWER_EPOCHS, QUARTERS

from . import disk
from .edition import write_edition
from .editions import HASH_SUFFIX, SUFFIX, edition_path, hash_path, numbers_in
from .pending import Pending, pending_path, wipe_pending
from .steps import Step

NEW_SUFFIX = ".new"  # what is being written; without a meaning after a start
DATABASE_SUFFIX = ".sqlite3"
EXPIRE_MOST = 2  # epochs a close: a clock that jumped by a year must not delete everything at once


class Folders:
    """The two folders of a pool: `pending` and `editions`."""

    def __init__(self, folder: Path) -> None:
        self.pending, self.editions = folder / "pending", folder / "editions"
        for path in (self.pending, self.editions):
            disk.private_folder(path)

    def remove_halves(self) -> None:
        """Removes what an interrupted close had begun to write."""
        for path in self.editions.glob(f"*{NEW_SUFFIX}"):
            path.unlink()

    def wipe_closed(self, step: Step) -> None:
        """Wipes every database, or what is left of one, whose edition is a file; nobody may have it open."""
        closed = set(numbers_in(self.editions, SUFFIX))
        heads = (name.partition(".")[0] for name in disk.names_in(self.pending) if DATABASE_SUFFIX in name)
        for number in sorted(closed.intersection(int(head) for head in heads if head.isdigit())):
            wipe_pending(pending_path(self.pending, number), step)

    def waiting(self) -> list[int]:
        """The editions that have a database, ascending."""
        return numbers_in(self.pending, DATABASE_SUFFIX)

    def least_open(self) -> int:
        """The least number that the open edition may have: none that is a file, none before one that is pending."""
        closed = numbers_in(self.editions, SUFFIX)
        return max([number + 1 for number in closed[-1:]] + self.waiting()[-1:], default=0)


def close_edition(
    folders: Folders, pending: Pending, make_dummy: Callable[[], tuple[bytes, bytes]], step: Step
) -> None:
    """Writes an edition's file, durably; afterwards the database may be wiped. OSError and sqlite3.Error: try again."""
    pending.pad(make_dummy, step)
    step("close.padded")
    with _new_file(edition_path(folders.editions, pending.number), pending.number, step) as file:
        hashed = write_edition(file, pending.number, sorted(pending.tags), pending.envelopes())
    with _new_file(hash_path(folders.editions, pending.number), pending.number, step) as file:
        file.write(hashed)
    step("close.named")
    disk.sync_folder(folders.editions)
    step("close.durable")


@contextlib.contextmanager
def _new_file(path: Path, number: int, step: Step) -> Iterator[BinaryIO]:
    """A file that has its name only when it is whole and synced; its times are those of the edition."""
    new = Path(f"{path}{NEW_SUFFIX}")
    try:
        with disk.private_file(new) as file:
            yield file
            file.flush()
            step("close.written")
            disk.coarsen(number, new)
            os.fsync(file.fileno())
        step("close.synced")
        new.rename(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def expire(folders: Folders, today: int, step: Step) -> None:
    """Removes the oldest epochs that no source looks for any more, whole, at most two a call (spec 9.10).

    `today` is the epoch of the edition that has just closed, not of the clock: what a jump closes stays for the while
    of an edition at least, and a jump alone deletes nothing.
    """
    numbers = {number for suffix in (SUFFIX, HASH_SUFFIX) for number in numbers_in(folders.editions, suffix)}
    epochs = sorted({number // QUARTERS for number in numbers if today > number // QUARTERS + ANSWER_EPOCHS})
    for epoch in epochs[:EXPIRE_MOST]:
        step("expire.begun")
        for number in sorted(number for number in numbers if number // QUARTERS == epoch):
            edition_path(folders.editions, number).unlink(missing_ok=True)
            step("expire.removed")
            hash_path(folders.editions, number).unlink(missing_ok=True)
        disk.sync_folder(folders.editions)
        step("expire.durable")
