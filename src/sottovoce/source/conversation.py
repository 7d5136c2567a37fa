"""One source's conversation with one organisation, over any pool (spec 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sottovoce.pool.errors import PutResult
from sottovoce.pool.store import Pool
from sottovoce.protocol.body import Body, text_room
from sottovoce.protocol.envelope import DESK_ROOM, seen_bit, seen_bitmap
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import PairKey, SourceKeys, answer_epochs
from sottovoce.protocol.message import Answer, Place, open_at_source, seal_to_desk
from sottovoce.protocol.sizes import epoch_of
from sottovoce.protocol.words import Passphrase
from sottovoce.trust.published import Published

ROOM = text_room(DESK_ROOM)  # bytes of UTF-8 in one message


class Closed(Exception):
    """No valid duty key: nothing can be sealed, and nothing weaker is used."""


@dataclass(frozen=True)
class Inbox:
    """Answers, newest first; `received` own messages had arrived by the newest, the last in epoch `newest`."""

    answers: list[Answer]
    received: int
    newest: int


@dataclass(frozen=True)
class Source:
    """What a source can do; remembers nothing between calls. `random` gives so many random bytes."""

    pool: Pool
    published: Callable[[], Published]
    now: Callable[[], float]
    random: Callable[[int], bytes]

    def keys(self, phrase: Passphrase) -> SourceKeys:
        """The keys that the words stand for, at this organisation."""
        return SourceKeys(self.published().root.org, phrase)

    def is_open(self) -> bool:
        """Whether a message can be taken today."""
        return self.published().audience(epoch_of(self.now())) is not None

    async def write(self, phrase: Passphrase, text: str, *, first: bool) -> PutResult:
        """Seals and puts one message of at most ROOM bytes; Closed when there is no duty key for today.

        `first`: the conversation begins with this message, so that there can be no answer yet.
        """
        keys = self.keys(phrase)
        inbox = Inbox([], 0, 0) if first else await self._inbox(keys)
        result = await self._put(keys, text, inbox)
        # Midnight passed between sealing and putting: seal again, once (spec 7.1).
        return await self._put(keys, text, inbox) if result is PutResult.WRONG_EPOCH else result

    async def _put(self, keys: SourceKeys, text: str, inbox: Inbox) -> PutResult:
        today = epoch_of(self.now())
        audience = self.published().audience(today)
        if audience is None:
            raise Closed("There is no duty key for today.")
        places = [answer.place for answer in inbox.answers]
        seen = seen_bitmap({seen_bit(today, place.epoch, place.slot, place.n) for place in places})
        tag = self.random(16)
        sealed = seal_to_desk(keys, audience, Body(text), tag=tag, message_id=self.random(16), seen=seen)
        return await self.pool.put(today, tag, sealed)

    async def inbox(self, phrase: Passphrase) -> Inbox:
        """All answers of the last 30 epochs that are verified (spec 7.4)."""
        return await self._inbox(self.keys(phrase))

    async def _inbox(self, keys: SourceKeys) -> Inbox:
        slots = self.published().roster.slots
        pairs = [keys.pair(number, slot.dh) for number, slot in enumerate(slots)]
        places = self._places(pairs)
        found = await self.pool.look_up(list(places))
        opened = (_open(envelope, keys, pairs, Place(*places[tag])) for tag, envelope in found.items())
        answers = sorted((a for a in opened if a), key=lambda a: (a.place.epoch, a.place.n, a.place.slot), reverse=True)
        most = max(answers, key=lambda answer: answer.received, default=None)
        return Inbox(answers, most.received if most else 0, most.newest if most else 0)

    def _places(self, pairs: list[PairKey]) -> dict[bytes, tuple[int, int, int]]:
        """What a Place needs, by tag; 2,048 of them, so plain tuples."""
        return {
            tag: (epoch, slot, n)
            for slot, pair in enumerate(pairs)
            for epoch in answer_epochs(epoch_of(self.now()))
            for n, tag in enumerate(pair.answer_tags(epoch))
        }


def _open(envelope: bytes, keys: SourceKeys, pairs: list[PairKey], place: Place) -> Answer | None:
    try:
        return open_at_source(envelope, keys, pairs[place.slot], place)
    except Refused:  # somebody else's bytes under a guessed tag: no answer
        return None
