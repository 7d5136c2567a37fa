"""All that a pool holds: the open edition, those that are being closed, and those that are files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from sottovoce.protocol.sizes import QUARTERS, edition_of

from . import disk
from .closing import Folders, close_edition, expire
from .edition import size_of
from .editions import Editions
from .pending import Pending
from .steps import Step

RESERVE = 64 << 20  # bytes that stay free, so that what is pending can always be closed


class Shelf:
    """The open edition's number only grows: when the clock goes back, nothing closes until it has caught up (spec 9.9).

    One thread calls turn, another close_due; both and others may look. sqlite3.Error, OSError and RoadError come
    through.
    """

    def __init__(
        self, folder: Path, now: float, make_dummy: Callable[[int], tuple[bytes, bytes]], most: int, step: Step
    ) -> None:
        """Opens or makes the folder, and takes away what an interrupted close left."""
        self._make_dummy, self._most, self._step = make_dummy, most, step
        self._folders = Folders(folder)
        self._folders.remove_halves()
        self._folders.wipe_closed(step)
        self._editions = Editions(self._folders.editions)
        self._editions.refresh()
        number = max(edition_of(now), self._folders.least_open())
        self._guard = threading.Lock()  # of `_closing`, which both threads change
        self.open = Pending(self._folders.pending, number)
        older = (waits for waits in self._folders.waiting() if waits != number)
        self._closing = tuple(Pending(self._folders.pending, waits) for waits in older)
        self._untidy = list[int]()  # epochs of editions after whose close wiping and expiry are still to be done
        disk.coarsen(number, self._folders.editions)

    def held(self, tag: bytes) -> bytes | None:
        """What lies under a tag anywhere. An edition is taken in before its database goes, so nothing is missed."""
        for each in self._all_pending():
            sealed = each.envelope(tag)
            if sealed is not None:
                return sealed
        return self._editions.get(tag)

    def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is in no edition yet, in order of tag."""
        tags = ((each.number, tag) for each in self._all_pending() for tag in each.tags.copy())
        return sorted(tags, key=lambda item: item[1])

    def room(self) -> int:
        """How many envelopes may still be taken now: by the edition's bound, and by the disk (spec 9.11).

        Each needs its room three times in all: in the database, in its log for a while, and in the edition's file.
        """
        waiting = sum(len(each.tags) for each in self._all_pending())
        free = disk.free_bytes(self._folders.pending) - RESERVE
        return min(self._most - len(self.open.tags), (free // size_of(1) - waiting) // 3)

    def turn(self, now: float) -> bool:
        """Opens the edition of `now` when its time has come; whether it did. What was open then waits for its close."""
        edition = edition_of(now)
        if edition <= self.open.number:
            return False
        following = Pending(self._folders.pending, edition)
        self._step("turn.opened")
        with self._guard:
            self._closing = (*self._closing, self.open)  # first: a reader finds it there or here
        self.open = following
        return True

    def close_due(self) -> None:
        """Closes every edition that waits for it, the oldest first; wipes and expires once for each close."""
        for each in sorted(self._closing, key=lambda pending: pending.number):
            self._close(each)
        if not self._untidy:
            return
        self._folders.wipe_closed(self._step)
        while self._untidy:
            expire(self._folders, self._untidy[0], self._step)
            self._untidy.pop(0)
        self._editions.refresh()
        disk.coarsen(self.open.number - 1, self._folders.editions)
        self.open.coarsen()

    def close(self) -> None:
        """Closes the databases."""
        for each in self._all_pending():
            each.close()

    def _all_pending(self) -> tuple[Pending, ...]:
        return (self.open, *self._closing)

    def _close(self, pending: Pending) -> None:
        epoch = pending.number // QUARTERS
        close_edition(self._folders, pending, lambda: self._make_dummy(epoch), self._step)
        self._editions.refresh()
        with self._guard:
            self._closing = tuple(each for each in self._closing if each is not pending)
        self._untidy.append(epoch)
        pending.close()
