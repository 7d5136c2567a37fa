"""The server of the model: the real pool, editions, mailbox and signed folder; and the desks' road to it, with faults.

One clock for all that the model turns, and a skew for each party, whole days: a clock may be a day ahead.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sottovoce.pool.edition import Listed, edition_bytes
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import PutResult, Reply, RoadError
from sottovoce.pool.store import SqlitePool
from sottovoce.pool.team import Mailbox, PostResult
from sottovoce.pool.team_client import Conflict
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import EDITION_SECONDS, ENVELOPE, EPOCH_SECONDS, QUARTERS, TAG
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.team import TeamFolder

START = 20_500 * EPOCH_SECONDS + 2 * EDITION_SECONDS + 60.0  # noon of an epoch
LOST = "The connection to the server broke: try again."
T = TypeVar("T")


class Crash(Exception):
    """The desk's machine went off."""


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


class DeskRoad:
    """One desk's road. `fault`: at its n-th call from now the answer is lost, "before" or "after" the work, or "crash".

    `replayed`: the server lists the newest edition's envelopes once more, as an edition in which it did not run.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.fault: tuple[int, str] = (-1, "")
        self.replayed = False
        self._calls = 0

    def begin(self, fault: tuple[int, str] | None) -> None:
        """A sync begins."""
        self.fault, self._calls = fault or (-1, ""), 0

    def fresh(self) -> DeskRoad:
        """New circuits."""
        return self

    def _call(self, work: Callable[[], T]) -> T:
        at, when = self.fault
        self._calls += 1
        hit = self._calls == at
        if hit and when == "before":
            raise RoadError(LOST)
        result = work()
        if hit:
            raise Crash if when == "crash" else RoadError(LOST)
        return result

    def _handed_in(self, work: Callable[[], T]) -> T:
        def refusing() -> T:
            try:
                return work()
            except Refused as error:
                raise Conflict(str(error)) from error

        return self._call(refusing)

    # The door.

    def editions(self) -> list[Listed]:
        """Every edition alive."""
        return self._call(self._listed)

    def _listed(self) -> list[Listed]:
        listed = self._server.editions.listed()
        number = self.gap(listed)
        if not self.replayed or number is None:
            return listed
        again = Listed(number, listed[-1].count, sha256(self._again(number)).digest())
        return sorted([*listed, again], key=lambda each: each.number)

    @staticmethod
    def gap(listed: Sequence[Listed]) -> int | None:
        """The newest number that no edition has or ever will have, since later ones exist."""
        numbers = {each.number for each in listed}
        return next(
            (n for n in range(max(numbers, default=0), min(numbers, default=1) - 1, -1) if n not in numbers), None
        )

    def _again(self, number: int) -> bytes:
        """The newest edition's envelopes under another number."""
        newest = self._server.editions.listed()[-1]
        found = self._server.editions.open(newest.number)
        assert found is not None
        with found[1] as file:
            raw = file.read()
        count, start = newest.count, 16
        tags = [raw[start + TAG * at : start + TAG * (at + 1)] for at in range(count)]
        start += TAG * count
        return edition_bytes(number, {tag: raw[start + ENVELOPE * at :][:ENVELOPE] for at, tag in enumerate(tags)})

    def edition(self, number: int) -> Iterator[bytes]:
        """An edition in chunks; when it is lost, it breaks in the middle."""
        found = self._server.editions.open(number)
        if found is None:
            assert self.replayed, "an edition that was just listed is not there"
            yield self._again(number)
            return
        with found[1] as file:
            raw = file.read()
        yield raw[: len(raw) // 2]
        self._call(lambda: None)
        yield raw[len(raw) // 2 :]

    def shown(self, kind: str) -> bytes | None:
        """What the door shows."""
        return self._call(lambda: self._server.signed.get(kind))

    def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Posts one envelope."""
        return self._call(lambda: self._server.run(self._server.put(epoch, tag, envelope)))

    # The members' onion.

    def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is in no edition."""
        return self._call(lambda: self._server.run(self._server.pool.pending()))

    def fetch(self, tags: Sequence[bytes]) -> list[bytes]:
        """The envelopes under these tags."""

        def work() -> list[bytes]:
            held = self._server.run(self._server.pool.fetch(tags))
            return [held[tag] for tag in tags]

        return self._call(work)

    def signed(self, kind: str) -> bytes | None:
        """What members are shown."""
        return self._call(lambda: self._server.signed.get(kind))

    def put_duty(self, raw: bytes) -> None:
        """Hands in a duty list."""
        self._handed_in(lambda: self._server.team.put_duty(raw))

    def draft(self) -> bytes | None:
        """The draft."""
        return self._call(self._server.team.draft)

    def put_draft(self, raw: bytes) -> bool:
        """Hands in a draft."""
        return self._handed_in(lambda: self._server.team.put_draft(raw))

    def transports(self) -> bytes:
        """All transport keys."""
        return self._call(self._server.team.transports)

    def put_transport(self, raw: bytes) -> None:
        """Hands in a transport key."""
        self._handed_in(lambda: self._server.team.put_transport(raw))

    def post_item(self, slot: int, transport_hash: bytes, receipt_hash: bytes, item: bytes) -> PostResult:
        """Posts an item, as the API does."""
        box, run = self._server.mailbox, self._server.run

        def work() -> PostResult:
            if run(box.known(slot, receipt_hash, item)):
                return PostResult.KNOWN
            newest = self._server.team.transport(slot) == transport_hash
            return run(box.post(slot, receipt_hash, item)) if newest else PostResult.STALE

        return self._call(work)

    def items(self, slot: int) -> list[bytes]:
        """A slot's items."""
        return self._call(lambda: self._server.run(self._server.mailbox.items(slot)))

    def acknowledge(self, receipts: Sequence[bytes]) -> None:
        """Deletes items."""
        self._call(lambda: self._server.run(self._server.mailbox.acknowledge(receipts)))
