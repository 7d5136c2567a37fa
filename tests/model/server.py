"""The server of the model: the real pool, editions, mailbox and signed folder.

One clock for all that the model turns, and a skew for each party, whole days: a clock may be a day ahead.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import PutResult, Reply
from sottovoce.pool.store import SqlitePool
from sottovoce.pool.team import Mailbox
from sottovoce.protocol.sizes import EDITION_SECONDS, ENVELOPE, EPOCH_SECONDS, QUARTERS, TAG
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.team import TeamFolder

START = 20_500 * EPOCH_SECONDS + 2 * EDITION_SECONDS + 60.0  # noon of an epoch
T = TypeVar("T")


@dataclass
class Clock:
    """A clock that the model turns; `skews` are the days by which a party's own is ahead."""

    time: float = START
    skews: dict[str, int] = field(default_factory=dict)

    def of(self, party: str) -> Callable[[], float]:
        """That party's clock."""
        return lambda: self.time + EPOCH_SECONDS * self.skews.get(party, 0)


class Server:
    """All that runs on the server. `landed`: in which edition each tag's envelope is, whether anybody was told or not.

    `dropped` counts acknowledged envelopes that it still has to lose: a planted fault.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.clock, self._folder, self._now = clock, folder, clock.of("server")
        self.team = TeamFolder(SignedFolder(folder / "signed"), self._now)
        self.signed = SignedFolder(folder / "signed")
        self.landed: dict[bytes, int] = {}
        self.dropped = 0
        self._copies, self._chance = 0, Random(2)  # noqa: S311  # so that a run can be repeated
        self._loop = asyncio.new_event_loop()
        self._open(folder / "pool")

    def _open(self, folder: Path) -> None:
        self.path = folder
        self.pool = SqlitePool(folder, self._now, self._junk)
        self.editions = Editions(folder / "editions")
        self.mailbox = Mailbox(self._folder / "team.sqlite3", self._now)
        self.turn()

    def _junk(self, epoch: int) -> tuple[bytes, bytes]:
        """What fills an edition here: no desk can tell it from a dummy."""
        assert epoch > 0
        return self._chance.randbytes(TAG), self._chance.randbytes(ENVELOPE)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for it."""
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        """Ends it for good."""
        self._stop()
        self._loop.close()

    def _stop(self) -> None:
        self.pool.close()
        self.mailbox.close()

    def restart(self, *, killed: bool) -> None:
        """Ends and starts it; `killed`: it goes on with what lay on the disk while it ran."""
        folder = self.path
        if killed:
            self._copies += 1
            folder = self._folder / f"pool{self._copies}"
            shutil.copytree(self.path, folder)
        self._stop()
        self._open(folder)

    def turn(self) -> None:
        """Closes and expires what is due; each close expires two epochs at most (spec 9.10)."""
        self.pool.turn().result(30)

    @property
    def open_edition(self) -> int:
        """The edition into which a put goes now; the clock does not say it after it went back (spec 9.9)."""
        return self.pool._shelf.open.number

    @property
    def today(self) -> int:
        """The server's epoch."""
        return self.open_edition // QUARTERS

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Stores one envelope, from anybody."""
        if self.dropped:
            self.dropped -= 1
            return Reply(PutResult.STORED, self.today, 0)
        reply = await self.pool.put(epoch, tag, envelope)
        if reply.result is PutResult.STORED:
            self.landed[tag] = self.open_edition
        return reply

    def held(self, tag: bytes) -> bytes | None:
        """What lies under a tag, pending or in an edition."""
        return self.run(self.pool.fetch([tag])).get(tag)
