"""The way from the desk to the pool, as the desk sees it, and what came of one sync."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sottovoce.pool.errors import PutResult, RoadError

FETCH_MOST = 128  # tags in one request: 1 MiB of envelopes, a second over Tor


class Road(Protocol):
    """Calls of the pool and the door; each may raise RoadError."""

    def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of every envelope that a member can fetch."""

    def fetch(self, tags: Sequence[bytes]) -> list[bytes]:
        """The envelopes under at most 128 tags, in their order."""

    def signed(self, kind: str) -> bytes | None:
        """The signed thing that sources are shown: "roster", "card" or "duty"."""

    def put_duty(self, raw: bytes) -> None:
        """Hands in a duty list whose serial is that of the server's plus one."""

    def put(self, epoch: int, tag: bytes, envelope: bytes) -> PutResult:
        """Posts one envelope on a circuit of its own."""


@dataclass(frozen=True)
class Waits:
    """Texts of a conversation that wait for the next edition, which begins at `hour` UTC."""

    conversation: bytes
    hour: int


@dataclass
class SyncReport:
    """What one sync did; `alarms` and `warnings` are sentences for the member."""

    fetched: int = 0
    messages: int = 0
    replayed: int = 0
    others: int = 0  # dummies, answers, what no duty key of ours opens
    elsewhere: int = 0  # for a roster that was never seen here, or in which this device has no place
    refused: Counter[str] = field(default_factory=Counter)  # forged or broken, by the layer that refused
    sent: int = 0
    waiting: int = 0  # texts and sealed answers that are not yet sent
    waits: list[Waits] = field(default_factory=list)
    duty_published: bool = False
    complete: bool = True  # whether the road held
    alarms: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warn(self, sentence: str) -> None:
        """Adds a warning, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def attempt(self, step: Callable[[], bool | None]) -> bool:
        """Runs a step that needs the road; whether it went well. A fault of the road is noted, not raised."""
        try:
            return step() is not False
        except RoadError as error:
            self.complete = False
            self.warn(str(error))
            return False
