"""Answers to a source, of one part or of several: sealing, opening, believing (spec 7.3, 7.4).

open_at_source -> FirstOfAnswer --open_later (each part) --> join --> Answer
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .body import Body
from .envelope import SOURCE_ROOM, TO_SOURCE, Header, LaterPart, SourcePart, body_hash, decode, parts_of, split
from .errors import Refused
from .keys import PairKey, SourceKeys
from .sealing import binding, seal, unseal


@dataclass(frozen=True)
class Place:
    """Where an answer lies: who answers (slot), and when (epoch, quarter n)."""

    epoch: int
    slot: int
    n: int


def parts_to_source(body: bytes) -> int:
    """How many envelopes an encoded body fills, 1 to 16; ValueError when it is too long for sixteen (spec 5.8)."""
    return parts_of(body, SOURCE_ROOM)


def answer_tags(pair: PairKey, place: Place, parts: int) -> list[bytes]:
    """The tags of all parts of the answer in `place`, the first part's first (spec 4.2, 4.3)."""
    first = pair.answer_tags(place.epoch)[place.n]
    return [first, *(pair.part_tag(first, part) for part in range(1, parts))]


def seal_to_source(
    pair: PairKey, kem: bytes, org: bytes, place: Place, body: Body, *, message_id: bytes, received: int, newest: int
) -> list[tuple[bytes, bytes]]:
    """Tag and envelope of each part of one answer, the first part first (spec 7.3); `kem` is the source's X-Wing key.

    The first part is to be posted last: who finds it finds the others.
    """
    data = body.encode()
    bodies = split(data, SOURCE_ROOM)
    received = min(received, 0xFFFF)  # a source that floods its own conversation shall not make it unanswerable
    tags = answer_tags(pair, place, len(bodies))
    infos = [binding(org, TO_SOURCE, place.epoch, tag) for tag in tags]
    header = Header(TO_SOURCE, message_id, 0, len(bodies), place.slot, place.n)
    first = SourcePart(header, bodies[0], body_hash(data), received, newest)
    first = replace(first, mac=pair.mac(infos[0], first.digest()))
    later = [LaterPart(replace(header, part=part), content) for part, content in enumerate(bodies[1:], 1)]
    plaintexts = [first.encode(), *(part.encode() for part in later)]
    sealed = [seal(plaintext, kem, info) for plaintext, info in zip(plaintexts, infos, strict=True)]
    return list(zip(tags, sealed, strict=True))


@dataclass(frozen=True)
class Answer:
    """A whole verified answer: `received` messages had arrived when it was written, the newest in epoch `newest`."""

    place: Place
    message_id: bytes
    body: Body
    received: int
    newest: int


@dataclass(frozen=True)
class FirstOfAnswer:
    """A verified first part of an answer; `tags` are those of the later parts, in order."""

    place: Place
    part: SourcePart
    org: bytes = field(repr=False)
    tags: Sequence[bytes] = field(repr=False)

    @property
    def parts(self) -> int:
        """How many parts the answer has, 1 to 16."""
        return self.part.header.parts

    def open_later(self, envelope: bytes, part: int, keys: SourceKeys) -> bytes:
        """The body of part number `part`, from what lies under tags[part - 1] (spec 7.4.5); Refused."""
        info = binding(self.org, TO_SOURCE, self.place.epoch, self.tags[part - 1])
        found = decode(unseal(envelope, keys.kem, info), TO_SOURCE)
        if found.header != replace(self.part.header, part=part):
            raise Refused("reassembly", "This is not the part that was expected.")
        return found.body

    def join(self, later: Sequence[bytes]) -> Answer:
        """The answer, from the later parts' bodies in order (spec 7.4.6 to 7.4.8); Refused: reassembly, body."""
        if len(later) != self.parts - 1:
            raise Refused("reassembly", f"Of {self.parts} parts {len(later) + 1} are here.")
        body = b"".join([self.part.body, *later])
        if body_hash(body) != self.part.body_hash:
            raise Refused("body", "The body is not the one that the answer commits to.")
        part = self.part
        return Answer(self.place, part.header.message_id, Body.decode(body), part.received, part.newest)


def open_at_source(envelope: bytes, keys: SourceKeys, pair: PairKey, place: Place) -> FirstOfAnswer:
    """Opens what lies under the first tag of `place` (spec 7.4.1 to 7.4.4); Refused names the layer."""
    tag = pair.answer_tags(place.epoch)[place.n]
    info = binding(keys.org, TO_SOURCE, place.epoch, tag)
    part = decode(unseal(envelope, keys.kem, info), TO_SOURCE)
    if not isinstance(part, SourcePart):
        raise Refused("reassembly", "This is a later part, where a first one was expected.")
    if (part.header.slot, part.header.n) != (place.slot, place.n):
        raise Refused("header", "The answer is in another member's place.")
    if not hmac.compare_digest(pair.mac(info, part.digest()), part.mac):
        raise Refused("authentication", "The answer was not written by the member in whose place it lies.")
    return FirstOfAnswer(place, part, keys.org, answer_tags(pair, place, part.header.parts)[1:])
