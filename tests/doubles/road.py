"""A road to a pool in memory, with teeth: what no desk may do fails the test at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.protocol.sizes import ENVELOPE, TAG, edition_of, epoch_of
from sottovoce.trust.duty import UntrustedDutyList

Loss = Literal["before", "after"]


class MemoryRoad:
    """Pool, door and members' onion in one; `now` is the server's clock.

    `losses` maps a call's name to losses to come: before it wrote, or after.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.things: dict[str, bytes] = {}
        self.pool: dict[bytes, tuple[int, bytes]] = {}
        self.puts: list[tuple[int, bytes, bytes]] = []
        self.losses: dict[str, list[Loss]] = {}
        self.full = False
        self._fetched: set[bytes] = set()
        self._listed: set[bytes] = set()
        self._bytes: dict[tuple[bytes, int], bytes] = {}

    def arrive(self, tag: bytes, envelope: bytes, edition: int | None = None) -> None:
        """Something came from anybody."""
        self.pool[tag] = (edition_of(self.now()) if edition is None else edition, envelope)

    def pending(self) -> list[tuple[int, bytes]]:
        """All that lies in the pool."""
        self._lose("pending", "before")
        self._listed = set(self.pool)
        return sorted((edition, tag) for tag, (edition, _) in self.pool.items())

    def fetch(self, tags: Sequence[bytes]) -> list[bytes]:
        """The envelopes, in order; each once, and only what was listed."""
        assert 0 < len(tags) <= 128
        assert set(tags) <= self._listed, "fetched what was not listed"
        assert not self._fetched & set(tags), "fetched twice: that tells the server which ones matter"
        self._lose("fetch", "before")
        self._fetched |= set(tags)
        return [self.pool[tag][1] for tag in tags]

    def signed(self, kind: str) -> bytes | None:
        """What sources are shown."""
        assert kind in ("root", "roster", "card", "duty"), "the access list is never public"
        self._lose("signed", "before")
        return self.things.get(kind)

    def put_duty(self, raw: bytes) -> None:
        """Compare and swap by serial."""
        self._lose("put_duty", "before")
        held = self.things.get("duty")
        serial = UntrustedDutyList.of(held).claim.serial if held else 0
        if UntrustedDutyList.of(raw).claim.serial != serial + 1:
            raise RoadError("The server refused the duty list: sync again.")
        self.things["duty"] = raw
        self._lose("put_duty", "after")

    def put(self, epoch: int, tag: bytes, envelope: bytes) -> PutResult:
        """One envelope; the same tag in the same epoch must always come with the same bytes."""
        assert len(tag) == TAG
        assert len(envelope) == ENVELOPE
        assert self._bytes.setdefault((tag, epoch), envelope) == envelope, "sealed anew under a tag that was used"
        self.puts.append((epoch, tag, envelope))
        self._lose("put", "before")
        result = self._store(epoch, tag, envelope)
        self._lose("put", "after")
        return result

    def _store(self, epoch: int, tag: bytes, envelope: bytes) -> PutResult:
        if tag in self.pool:
            return PutResult.KNOWN if self.pool[tag][1] == envelope else PutResult.TAKEN
        today = epoch_of(self.now())
        if epoch not in (today, today - 1):
            return PutResult.WRONG_EPOCH
        if self.full:
            return PutResult.FULL
        self.arrive(tag, envelope)
        return PutResult.STORED

    def _lose(self, call: str, when: Loss) -> None:
        if self.losses.get(call, [])[:1] == [when]:
            self.losses[call].pop(0)
            raise RoadError("The connection to the server broke: try again.")
