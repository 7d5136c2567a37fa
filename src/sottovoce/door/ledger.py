"""What the door remembers of visits for half an hour: which ended, and which forms were sent. Never what was typed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

IDLE_SECONDS = 1_800  # long enough to write by hand what one has to say; short enough for a tablet left behind
MOST = 250_000  # entries of each kind, about 60 MB: more than honest visitors make; the oldest go first


class Claim(Enum):
    """What a form that arrives is to the ledger."""

    FREE = "not sent yet, or under way with the same text"
    DONE = "sent with this text, and stored"
    OTHER = "sent with another text"


class Ledger(Protocol):
    """One memory for all who serve visitors; RoadError when it can't be asked."""

    def ended(self, visit: bytes) -> bool:
        """Whether a visit was ended by its visitor."""

    async def end(self, visit: bytes) -> None:
        """The visit is over, for everybody who serves."""

    async def claim(self, form: bytes, digest: bytes) -> Claim:
        """Asks for a form to be sent with a text of this keyed digest; FREE is followed by `settle`."""

    async def settle(self, form: bytes, *, done: bool) -> None:
        """The form's text is stored; or it isn't, and the form may be sent again with any text."""


@dataclass
class _Form:
    digest: bytes
    until: float
    done: bool = False
    holders: list[Hashable] = field(default_factory=list)


class MemoryLedger:
    """The ledger itself, in the memory of one process; `now` is the visits' clock, in seconds.

    A `holder` is who claims: one that dies gives its unfinished forms free by `forsake`.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ended: dict[bytes, float] = {}
        self._forms: dict[bytes, _Form] = {}
        self._next_forgetting = 0.0

    def ended(self, visit: bytes) -> bool:
        """Whether a visit was ended."""
        return visit in self._ended

    def all_ended(self) -> list[bytes]:
        """Every visit that was ended, for who begins to serve."""
        self._forget()
        return list(self._ended)

    def note_ended(self, visits: Iterable[bytes]) -> None:
        """These visits are over."""
        self._forget()
        until = self._now() + IDLE_SECONDS + 1
        self._ended.update(dict.fromkeys(visits, until))
        _shorten(self._ended)

    async def end(self, visit: bytes) -> None:
        """The visit is over."""
        self.note_ended([visit])

    async def claim(self, form: bytes, digest: bytes, holder: Hashable = None) -> Claim:
        """What the form is; one that is FREE is held from now on."""
        self._forget()
        held = self._forms.get(form)
        if held is None:
            held = self._forms[form] = _Form(digest, self._now() + IDLE_SECONDS + 1)
            _shorten(self._forms)
        if held.digest != digest:
            return Claim.OTHER
        if held.done:
            return Claim.DONE
        held.holders.append(holder)
        return Claim.FREE

    async def settle(self, form: bytes, *, done: bool, holder: Hashable = None) -> None:
        """The holder is through with it; the form is free again when nobody stored it and nobody is at it."""
        held = self._forms.get(form)
        if held is None or holder not in held.holders:
            return
        held.holders.remove(holder)
        held.done |= done
        self._free_when_unheld(form, held)

    def forsake(self, holder: Hashable) -> None:
        """The holder is dead: what it was at may be sent anew, and a form's own tags keep that from being twice."""
        for form, held in list(self._forms.items()):
            if holder in held.holders:
                held.holders = [each for each in held.holders if each != holder]
                self._free_when_unheld(form, held)

    def _free_when_unheld(self, form: bytes, held: _Form) -> None:
        if not held.done and not held.holders:
            del self._forms[form]

    def _forget(self) -> None:
        now = self._now()
        if now < self._next_forgetting:
            return
        self._next_forgetting = now + 60  # a walk over all a minute, not at every post
        self._ended = {visit: until for visit, until in self._ended.items() if until > now}
        self._forms = {form: held for form, held in self._forms.items() if held.until > now}


def _shorten(entries: dict[bytes, float] | dict[bytes, _Form]) -> None:
    while len(entries) > MOST:
        del entries[next(iter(entries))]
