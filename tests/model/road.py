"""A desk's road to the model's server, with faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from model.server import Server

from sottovoce.pool.edition import Listed, edition_bytes
from sottovoce.pool.errors import Reply, RoadError
from sottovoce.pool.team import PostResult
from sottovoce.pool.team_client import Conflict
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import ENVELOPE, TAG
from sottovoce.trust.notice import Kind

LOST = "The connection to the server broke: try again."
T = TypeVar("T")


class Crash(Exception):
    """The desk's machine went off."""


@dataclass(frozen=True)
class Fault:
    """The next call of a name goes wrong: its answer is lost "before" or "after" the work, or the machine goes off."""

    call: str
    when: str


class DeskRoad:
    """One desk's road, with at most one fault to come.

    `replayed`: the server lists the newest edition's envelopes once more, as an edition in which it did not run.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._fault: Fault | None = None
        self.replayed = False

    def begin(self, fault: Fault | None) -> None:
        """A sync begins, in which one call goes wrong."""
        self._fault = fault

    def fresh(self) -> nullcontext[DeskRoad]:
        """New circuits."""
        return nullcontext(self)

    def _call(self, name: str, work: Callable[[], T]) -> T:
        hit = self._fault is not None and self._fault.call == name
        if hit and self._fault is not None and self._fault.when == "before":
            self._fault = None
            raise RoadError(LOST)
        result = work()
        if hit and self._fault is not None:
            when, self._fault = self._fault.when, None
            raise Crash if when == "crash" else RoadError(LOST)
        return result

    def _handed_in(self, name: str, work: Callable[[], T]) -> T:
        def refusing() -> T:
            try:
                return work()
            except Refused as error:
                raise Conflict(str(error)) from error

        return self._call(name, refusing)

    # The door.

    def editions(self) -> list[Listed]:
        """Every edition alive."""
        return self._call("editions", self._listed)

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
        self._call("edition", lambda: None)
        yield raw[len(raw) // 2 :]

    def shown(self, kind: str) -> bytes | None:
        """What the door shows."""
        return self._call("shown", lambda: self._server.signed.get(kind))

    def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Posts one envelope."""
        return self._call("put", lambda: self._server.run(self._server.put(epoch, tag, envelope)))

    # The members' onion.

    def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is in no edition."""
        return self._call("pending", lambda: self._server.run(self._server.pool.pending()))

    def fetch(self, tags: Sequence[bytes]) -> list[bytes]:
        """The envelopes under these tags."""

        def work() -> list[bytes]:
            held = self._server.run(self._server.pool.fetch(tags))
            return [held[tag] for tag in tags]

        return self._call("fetch", work)

    def signed(self, kind: str) -> bytes | None:
        """What members are shown."""
        return self._call("signed", lambda: self._server.signed.get(kind))

    def put_duty(self, raw: bytes) -> None:
        """Hands in a duty list."""
        self._handed_in("put_duty", lambda: self._server.team.put_duty(raw))

    def put_notice(self, kind: Kind, raw: bytes) -> None:
        """Hands in a notice."""
        self._handed_in("put_notice", lambda: self._server.team.put_notice(kind, raw))

    def draft(self) -> bytes | None:
        """The draft."""
        return self._call("draft", self._server.team.draft)

    def put_draft(self, raw: bytes) -> bool:
        """Hands in a draft."""
        return self._handed_in("put_draft", lambda: self._server.team.put_draft(raw))

    def transports(self) -> bytes:
        """All transport keys."""
        return self._call("transports", self._server.team.transports)

    def put_transport(self, raw: bytes) -> None:
        """Hands in a transport key."""
        self._handed_in("put_transport", lambda: self._server.team.put_transport(raw))

    def post_item(self, slot: int, transport_hash: bytes, receipt_hash: bytes, item: bytes) -> PostResult:
        """Posts an item, as the API does."""
        box, run = self._server.mailbox, self._server.run

        def work() -> PostResult:
            if run(box.known(slot, receipt_hash, item)):
                return PostResult.KNOWN
            newest = self._server.team.transport(slot) == transport_hash
            return run(box.post(slot, receipt_hash, item)) if newest else PostResult.STALE

        return self._call("post_item", work)

    def items(self, slot: int) -> list[bytes]:
        """A slot's items."""
        return self._call("items", lambda: self._server.run(self._server.mailbox.items(slot)))

    def acknowledge(self, receipts: Sequence[bytes]) -> None:
        """Deletes items."""
        self._call("acknowledge", lambda: self._server.run(self._server.mailbox.acknowledge(receipts)))
