"""One source's conversation with one organisation, over any pool (spec 7): at the door, or on the source's device."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sottovoce.pool.errors import PutResult, Reply
from sottovoce.pool.store import Pool
from sottovoce.protocol.answer import Place
from sottovoce.protocol.body import Body, text_room
from sottovoce.protocol.envelope import DESK_ROOM, LATER_ROOM, PARTS, seen_bit, seen_bitmap
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.message import Audience, parts_to_desk, seal_to_desk
from sottovoce.protocol.sizes import ANSWER_EPOCHS, TAG, epoch_of
from sottovoce.protocol.words import Passphrase
from sottovoce.trust.published import Published

from .errors import SourceError
from .inbox import Inbox, Search

ROOM = text_room(DESK_ROOM + (PARTS - 1) * LATER_ROOM)  # bytes of UTF-8 in one message (spec 6.4)


class Closed(SourceError):
    """No valid duty key: nothing can be sealed, and nothing weaker is used."""


@dataclass(frozen=True)
class Written:
    """How a message ended: it is safe, as a whole, with STORED and KNOWN only.

    `hour` (UTC) is that at which the next edition begins, `epoch` the server's day. `tags` are those of its parts,
    `link` (16 bytes) makes them (`tags_of`): who has it can tell that these envelopes belong together.
    """

    result: PutResult
    hour: int
    epoch: int
    message_id: bytes
    tags: Sequence[bytes]
    link: bytes = field(repr=False)


@dataclass(frozen=True)
class _Draft:
    """A message that can be sealed again for another day, under the same names."""

    keys: SourceKeys
    body: Body
    message_id: bytes
    link: bytes = field(repr=False)
    tags: Sequence[bytes]
    seen: Sequence[Place]

    @classmethod
    def of(cls, keys: SourceKeys, body: Body, seed: bytes, seen: Sequence[Place]) -> _Draft:
        # The tags hang on the whole body: parts of two different bodies must never mix under one seed. The message's
        # id hangs on the text: sent again with another `after`, it is still the same message.
        data = body.encode()
        message_id = _name(seed, b"message", keys.id, hashlib.sha256(body.text.encode()).digest())
        link = _name(seed, b"link", keys.id, hashlib.sha256(data).digest())
        return cls(keys, body, message_id, link, tags_of(link, parts_to_desk(data)), seen)

    def seal(self, audience: Audience) -> dict[bytes, bytes]:
        """Envelopes by tag, part 0 first."""
        bits = {seen_bit(audience.epoch, p.epoch, p.slot, p.n) for p in self.seen if _in_reach(p, audience.epoch)}
        sealed = seal_to_desk(
            self.keys, audience, self.body, tags=self.tags, message_id=self.message_id, seen=seen_bitmap(bits)
        )
        return dict(zip(self.tags, sealed, strict=True))


def _name(secret: bytes, label: bytes, *parts: bytes) -> bytes:
    return hmac.digest(secret, b"sottovoce/v1/" + label + b"".join(parts), "sha256")[:TAG]


def tags_of(link: bytes, parts: int) -> list[bytes]:
    """The tags of a message's parts, part 0 first, from its `link`."""
    return [_name(link, b"tag", bytes([part])) for part in range(parts)]


def _in_reach(place: Place, epoch: int) -> bool:
    return epoch - ANSWER_EPOCHS <= place.epoch <= epoch + 1


@dataclass(frozen=True)
class Source:
    """What a source can do; remembers nothing between calls. `random` gives so many random bytes."""

    pool: Pool
    published: Callable[[], Published]
    now: Callable[[], float]
    random: Callable[[int], bytes]

    def keys(self, phrase: Passphrase) -> SourceKeys:
        """The keys that the words stand for, at this organisation."""
        return self.keys_of(self.published(), phrase)

    @staticmethod
    def keys_of(published: Published, phrase: Passphrase) -> SourceKeys:
        """The keys that the words stand for, at an organisation."""
        return SourceKeys(published.root.org, phrase)

    def is_open(self) -> bool:
        """Whether a message can be taken today."""
        return self.published().audience(epoch_of(self.now())) is not None

    async def write(
        self,
        phrase: Passphrase,
        text: str,
        *,
        first: bool,
        seed: bytes,
        after: bytes | None = None,
        language: str | None = None,
    ) -> Written:
        """Seals and puts one message of at most ROOM bytes (spec 7.1); Closed when there is no duty key for the day.

        `seed`: 32 bytes that only this form has. The same form again, also in another process, finds its own tags
        taken: that counts as stored. So who got FULL or a RoadError repeats it with the same seed.
        `first`: the conversation begins with this message, so that there can be no answer yet.
        `after`: the id of the message that was written just before in the same visit (spec 6.5).
        `language`: in which the source reads our pages (spec 6.6).
        """
        keys = self.keys(phrase)
        seen = [] if first else [answer.place for answer in (await self._search(keys).run(self.pool, 0)).answers]
        draft = _Draft.of(keys, Body(text, after, language), seed, seen)
        reply = await self._put(draft, epoch_of(self.now()))
        if reply.result is PutResult.WRONG_EPOCH and abs(reply.epoch - epoch_of(self.now())) <= 1:
            # Midnight passed between sealing and putting, or one clock is a day off: seal again, once (spec 9.1).
            reply = await self._put(draft, reply.epoch)
        return Written(*_counted(reply), draft.message_id, draft.tags, draft.link)

    async def _put(self, draft: _Draft, epoch: int) -> Reply:
        audience = self.published().audience(epoch)
        if audience is None:
            raise Closed("The organisation takes no message today: no member made a key for it. Try again later.")
        return await _put_all(self.pool, epoch, draft.seal(audience))

    async def inbox(self, phrase: Passphrase, *, skip: int = 0) -> Inbox:
        """The answers of the last 30 epochs that are verified (spec 7.4), `skip` places left out."""
        return await self._search(self.keys(phrase)).run(self.pool, max(0, skip))

    def _search(self, keys: SourceKeys) -> Search:
        pairs = [keys.pair(number, slot.dh) for number, slot in enumerate(self.published().roster.slots)]
        return Search(keys, pairs, epoch_of(self.now()), self.random)


async def _put_all(pool: Pool, epoch: int, sealed: Mapping[bytes, bytes]) -> Reply:
    """Part 0 last: a desk that finds it finds the others. The first reply that ends the attempt, else part 0's."""
    first, *later = sealed.items()
    replies = await asyncio.gather(*(pool.put(epoch, *part) for part in later), return_exceptions=True)
    for reply in replies:
        if isinstance(reply, BaseException):
            raise reply
        if reply.result in (PutResult.WRONG_EPOCH, PutResult.FULL):
            return reply
    return await pool.put(epoch, *first)


def _counted(reply: Reply) -> tuple[PutResult, int, int]:
    taken = reply.result is PutResult.TAKEN  # by the same message, sealed at another time
    return PutResult.KNOWN if taken else reply.result, reply.hour, reply.epoch
