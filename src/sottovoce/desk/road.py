"""The way from the desk to the pool, as the desk sees it, and what came of what it did there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from sottovoce.pool.edition import Listed
from sottovoce.pool.errors import Reply, RoadError
from sottovoce.pool.team import PostResult
from sottovoce.trust.notice import Kind

FETCH_MOST = 128  # tags in one request: 1 MiB of envelopes, a second over Tor


class Road(Protocol):
    """Calls of the door, the pool and the members' onion; each may raise RoadError.

    What the public sees (`editions`, `edition`, `shown`, `put`) goes to the door, each call over a fresh circuit, so
    that the server can't tell whom it answers. The rest goes to the members' onion.
    """

    def fresh(self) -> AbstractContextManager[Road]:
        """The same road over new circuits, until it is left: one for each sync of a long run."""

    def editions(self) -> list[Listed]:
        """Every edition alive, as the door lists it to everybody."""

    def edition(self, number: int) -> Iterator[bytes]:
        """The bytes of one edition in chunks, from the door."""

    def shown(self, kind: str) -> bytes | None:
        """The signed thing of a kind that the door shows to sources: "root", "roster", "card", "duty" or a notice's."""

    def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Posts one envelope by the same anonymous call as sources."""

    def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of every envelope that is in no edition yet."""

    def fetch(self, tags: Sequence[bytes]) -> list[bytes]:
        """The pending envelopes under at most 128 tags, in their order."""

    def signed(self, kind: str) -> bytes | None:
        """The signed thing of a kind that members are shown."""

    def put_duty(self, raw: bytes) -> None:
        """Hands in a duty list; Conflict when the server refuses it or holds a newer one."""

    def put_notice(self, kind: Kind, raw: bytes) -> None:
        """Hands in a notice of absence or compromise; Conflict when it is refused or not newer."""

    def draft(self) -> bytes | None:
        """The draft of the next duty list."""

    def put_draft(self, raw: bytes) -> bool:
        """Hands in a draft, or a signature more; True when it is the duty list now. Conflict as above."""

    def transports(self) -> bytes:
        """All transport keys, for `trust.transport.read_transports`."""

    def put_transport(self, raw: bytes) -> None:
        """Hands in this device's new transport key; Conflict when it is not newer."""

    def post_item(self, slot: int, transport_hash: bytes, receipt_hash: bytes, item: bytes) -> PostResult:
        """Posts an item to a slot's mailbox."""

    def items(self, slot: int) -> list[bytes]:
        """At most 64 items of a slot."""

    def acknowledge(self, receipts: Sequence[bytes]) -> None:
        """Deletes the items whose receipts these are, 1 to 64."""


@dataclass(frozen=True)
class Waits:
    """Texts of a conversation that wait for the next edition, which begins at `hour` UTC."""

    conversation: bytes
    hour: int


@dataclass
class Report:
    """What one piece of work over the road found; `alarms` and `warnings` are sentences for the member."""

    complete: bool = True  # whether the road held
    alarms: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warn(self, sentence: str) -> None:
        """Adds a warning, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def alarm(self, sentence: str) -> None:
        """Adds an alarm, once."""
        if sentence not in self.alarms:
            self.alarms.append(sentence)

    def attempt(self, step: Callable[[], bool | None]) -> bool:
        """Runs a step that needs the road; whether it went well. A fault of the road is noted, not raised."""
        try:
            return step() is not False
        except RoadError as error:
            self.complete = False
            self.warn(str(error))
            return False


@dataclass
class SyncReport(Report):
    """What one sync did."""

    fetched: int = 0  # envelopes that were looked at
    editions: int = 0  # that were read to their end
    messages: int = 0  # whole ones, new
    parts: int = 0  # later parts that wait for the rest of their message
    forwarded: int = 0  # messages that a colleague brought
    replayed: int = 0
    others: int = 0  # dummies, answers, what no duty key of ours opens
    elsewhere: int = 0  # for a roster that was never seen here, or in which this device has no place
    refused: Counter[str] = field(default_factory=Counter)  # forged or broken, by the layer that refused
    sent: int = 0  # whole answers
    waiting: int = 0  # texts and sealed answers that are not yet sent
    waits: list[Waits] = field(default_factory=list)
    duty_published: bool = False
    keys_destroyed: int = 0  # epochs whose duty keys were destroyed
    items_refused: int = 0  # of the mailbox: not for this device, not signed by a colleague, or of no proper form
