"""Finding answers: the same work with and without them (spec 7.4).

find 2,048 tags -> open what lies there -> find 240 tags of later parts, real or random -> open, join -> trial openings
up to the next multiple of 8. Who measures a visit from outside sees no more than "up to 8", "up to 16", and so on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sottovoce.pool.store import Pool
from sottovoce.protocol.answer import Answer, FirstOfAnswer, Place, open_at_source
from sottovoce.protocol.envelope import PARTS
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import PairKey, SourceKeys, answer_epochs, sign_of
from sottovoce.protocol.sealing import unseal
from sottovoce.protocol.sizes import ENVELOPE, HASH, QUARTERS, SLOTS, TAG

OPENINGS = 8  # as many answers as a busy month of one conversation has, and 1.5 ms
LATER_TAGS = 16 * (PARTS - 1)  # looked up a second time in every visit: sixteen answers of the greatest length
PAGE = 64  # places opened in one visit; whoever fills more of them with junk makes no visit dearer
_NOBODYS = hashlib.shake_256(b"sottovoce: an envelope that no key opens").digest(ENVELOPE)


@dataclass(frozen=True)
class Incomplete:
    """An answer whose parts are not all here yet, or never will be: `here` of `parts`."""

    place: Place
    here: int
    parts: int


@dataclass(frozen=True)
class Inbox:
    """Whole answers, newest first; `received` own messages had arrived by the newest, the last in epoch `newest`.

    `older` is None, or there are more than one visit looks at: the `skip` with which a further one sees the next.
    `conversation` is the id of that which the given words open (spec 3.4).
    """

    answers: Sequence[Answer] = ()
    received: int = 0
    newest: int = 0
    incomplete: Sequence[Incomplete] = ()
    older: int | None = None
    conversation: bytes = bytes(HASH)

    @property
    def sign(self) -> tuple[str, str]:
        """The sign of the words that were given."""
        return sign_of(self.conversation)


@dataclass
class Search:
    """One look for the answers of one source; `today` is the epoch, `random` gives so many random bytes."""

    keys: SourceKeys
    pairs: Sequence[PairKey]
    today: int
    random: Callable[[int], bytes]
    _opened: int = field(default=0, init=False)

    async def run(self, pool: Pool, skip: int) -> Inbox:
        """All answers of a page, found by two look-ups of fixed sizes."""
        tags = self.tags()
        found = await pool.find(tags)
        places = [place for place, tag in enumerate(tags) if tag in found]
        firsts = [self._first(found[tags[place]], place) for place in places[skip : skip + PAGE]]
        count = _fitting(firsts)
        page = [first for first in firsts[:count] if first is not None]
        wanted = [tag for first in page for tag in first.tags]
        later = await pool.find(wanted + self._nobodys(LATER_TAGS - len(wanted)))
        inbox = self._join(page, later, skip + count if skip + count < len(places) else None)
        self._fill()
        return inbox

    def _nobodys(self, count: int) -> list[bytes]:
        raw = self.random(TAG * count)
        return [raw[at : at + TAG] for at in range(0, len(raw), TAG)]

    def tags(self) -> list[bytes]:
        """The 2,048 tags of first parts, the newest place first (spec 4.4); `_place` goes back."""
        by_epoch = ([pair.answer_tags(epoch) for pair in reversed(self.pairs)] for epoch in answer_epochs(self.today))
        return [tags[n] for slots in by_epoch for n in reversed(range(QUARTERS)) for tags in slots]

    def _place(self, number: int) -> Place:
        rest, slot = divmod(number, SLOTS)
        age, n = divmod(rest, QUARTERS)
        return Place(answer_epochs(self.today)[age], SLOTS - 1 - slot, QUARTERS - 1 - n)

    def _first(self, envelope: bytes, number: int) -> FirstOfAnswer | None:
        place = self._place(number)
        self._opened += 1
        with suppress(Refused):  # somebody else's bytes under a guessed tag: no answer
            return open_at_source(envelope, self.keys, self.pairs[place.slot], place)
        return None

    def _join(self, page: Sequence[FirstOfAnswer], later: Mapping[bytes, bytes], older: int | None) -> Inbox:
        joined = [self._whole(first, later) for first in page]
        most = max((first.part for first in page), key=lambda part: part.received, default=None)
        return Inbox(
            _once(each for each in joined if isinstance(each, Answer)),
            most.received if most else 0,
            most.newest if most else 0,
            [each for each in joined if isinstance(each, Incomplete)],
            older,
            self.keys.id,
        )

    def _whole(self, first: FirstOfAnswer, later: Mapping[bytes, bytes]) -> Answer | Incomplete:
        bodies = list(self._bodies(first, later))
        with suppress(Refused):
            return first.join(bodies)
        return Incomplete(first.place, min(1 + len(bodies), first.parts - 1), first.parts)

    def _bodies(self, first: FirstOfAnswer, later: Mapping[bytes, bytes]) -> Iterator[bytes]:
        for part, tag in enumerate(first.tags, 1):
            if (envelope := later.get(tag)) is None:
                continue
            self._opened += 1
            with suppress(Refused):
                yield first.open_later(envelope, part, self.keys)

    def _fill(self) -> None:
        for _ in range(-self._opened % OPENINGS or OPENINGS * (not self._opened)):
            with suppress(Refused):
                unseal(_NOBODYS, self.keys.kem, b"")


def _once(answers: Iterable[Answer]) -> list[Answer]:
    """Each answer in its newest place: a desk that missed the pool's reply for days sealed it anew (spec 7.4.8)."""
    found: dict[tuple[int, bytes], Answer] = {}
    for answer in answers:
        found.setdefault((answer.place.slot, answer.message_id), answer)
    return list(found.values())


def _fitting(firsts: Sequence[FirstOfAnswer | None]) -> int:
    """How many of these, from the newest on, have later parts that one look-up can ask for."""
    room = LATER_TAGS
    for count, first in enumerate(firsts):
        room -= len(first.tags) if first else 0
        if room < 0:
            return count
    return len(firsts)
