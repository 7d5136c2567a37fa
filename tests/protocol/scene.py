"""One source, sixteen members and a duty key, and the calls that the tests of messages share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import strategies as st

from sottovoce.protocol.answer import Answer, FirstOfAnswer, Place, open_at_source, seal_to_source
from sottovoce.protocol.body import Body, text_room
from sottovoce.protocol.envelope import TO_DESK, DeskPart, decode
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey, SourceKeys, member_pair
from sottovoce.protocol.message import (
    Audience,
    FirstPart,
    Message,
    UntrustedMessage,
    UntrustedPart,
    open_at_desk,
    parts_to_desk,
    seal_to_desk,
)
from sottovoce.protocol.sealing import binding, unseal
from sottovoce.protocol.words import Passphrase

ORG, OTHER = b"o" * 32, b"p" * 32
EPOCH, TAG, ID, SEEN = 20_780, b"t" * 16, b"i" * 16, bytes(256)
DEVICES = [X25519PrivateKey.from_private_bytes(hashlib.sha256(bytes([slot])).digest()) for slot in range(16)]
MEMBERS = [device.public_key().public_bytes_raw() for device in DEVICES]
DUTY, OTHER_DUTY = KemKey(b"d" * 32), KemKey(b"e" * 32)
KEYS = SourceKeys(ORG, Passphrase(b"p" * 16))
STRANGER = SourceKeys(ORG, Passphrase(b"q" * 16))
AUDIENCE = Audience(ORG, b"r" * 32, MEMBERS, DUTY.public, EPOCH)
INFO = binding(ORG, TO_DESK, EPOCH, TAG)
PLACE = Place(EPOCH, 5, 2)

slots, quarters, days = st.integers(0, 15), st.integers(0, 3), st.integers(0, 2**32 - 1)


def fitting(room: int) -> st.SearchStrategy[str]:
    """Texts that fit into a body's room, some of them long."""
    short = st.text(max_size=300)
    return short | st.integers(0, text_room(room) // 3).map("密".__mul__) | st.just("x" * text_room(room))


def tags_for(parts: int, first: bytes = TAG) -> list[bytes]:
    """A tag for each part."""
    return [first, *(hashlib.sha256(first + bytes([part])).digest()[:16] for part in range(1, parts))]


def written_parts(
    body: Body, keys: SourceKeys = KEYS, audience: Audience = AUDIENCE, tag: bytes = TAG, message_id: bytes = ID
) -> list[bytes]:
    """The envelopes of a source's message, under tags_for(...)."""
    tags = tags_for(parts_to_desk(body.encode()), tag)
    return seal_to_desk(keys, audience, body, tags=tags, message_id=message_id, seen=SEEN)


def written(text: str = "hello", keys: SourceKeys = KEYS, audience: Audience = AUDIENCE, tag: bytes = TAG) -> bytes:
    """The one envelope of a short message."""
    (envelope,) = written_parts(Body(text), keys, audience, tag)
    return envelope


def first_at_desk(
    envelope: bytes, duty: KemKey = DUTY, org: bytes = ORG, epoch: int = EPOCH, tag: bytes = TAG, slot: int = 5
) -> FirstPart:
    """The first part that the member in a slot believes."""
    untrusted = open_at_desk(envelope, duty, org, epoch, tag)
    assert isinstance(untrusted, UntrustedMessage)
    return untrusted.verify(DEVICES[slot], slot)


def later_at_desk(envelope: bytes, tag: bytes) -> UntrustedPart:
    """A later part, as a member sees it after opening."""
    untrusted = open_at_desk(envelope, DUTY, ORG, EPOCH, tag)
    assert isinstance(untrusted, UntrustedPart)
    return untrusted


def opened(envelope: bytes, duty: KemKey = DUTY, org: bytes = ORG, epoch: int = EPOCH, tag: bytes = TAG) -> Message:
    """A message of one part, as the member in slot 5 reads it."""
    return first_at_desk(envelope, duty, org, epoch, tag).join([])


def answered_parts(
    body: Body, place: Place = PLACE, device: int | None = None, keys: SourceKeys = KEYS
) -> list[tuple[bytes, bytes]]:
    """Tag and envelope of each part of an answer."""
    slot = place.slot if device is None else device
    pair = member_pair(DEVICES[slot], keys.dh, keys.c, ORG, slot)
    return seal_to_source(pair, keys.kem.public, ORG, place, body, message_id=ID, received=1, newest=EPOCH)


def answered(text: str = "thanks", place: Place = PLACE) -> tuple[bytes, bytes]:
    """Tag and envelope of a short answer."""
    (only,) = answered_parts(Body(text), place)
    return only


def first_at_source(envelope: bytes, place: Place = PLACE, keys: SourceKeys = KEYS) -> FirstOfAnswer:
    """The first part of an answer that the source believes."""
    return open_at_source(envelope, keys, keys.pair(place.slot, MEMBERS[place.slot]), place)


def read(envelope: bytes, place: Place = PLACE, keys: SourceKeys = KEYS) -> Answer:
    """An answer of one part, as the source reads it in a place."""
    return first_at_source(envelope, place, keys).join([])


def read_parts(sealed: Sequence[tuple[bytes, bytes]], place: Place = PLACE) -> Answer:
    """An answer, from what lies in the pool."""
    pool = dict(sealed)
    first = first_at_source(sealed[0][1], place)
    return first.join([first.open_later(pool[tag], part, KEYS) for part, tag in enumerate(first.tags, 1)])


def plaintext_to_desk() -> DeskPart:
    """A short message as a member sees it after opening."""
    part = decode(unseal(written(), DUTY, INFO), TO_DESK)
    assert isinstance(part, DeskPart)
    return part


def with_macs(part: DeskPart, info: bytes = INFO, keys: SourceKeys = KEYS) -> DeskPart:
    """The part with the MACs of the source that owns `keys`."""
    pairs = (keys.pair(slot, member) for slot, member in enumerate(MEMBERS))
    return replace(part, macs=b"".join(pair.mac(info, part.digest()) for pair in pairs))


def layer_of(call: Callable[[], object]) -> str:
    """The layer that refuses."""
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.layer


def layer(envelope: bytes) -> str:
    """The layer that refuses an envelope at the desk."""
    return layer_of(lambda: opened(envelope))
