"""Sealing and opening messages, both ways (spec 5 and 7)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from .body import Body
from .envelope import TO_DESK, TO_SOURCE, DeskPart, Header, SourcePart, body_hash, decode
from .errors import Refused
from .keys import KemKey, PairKey, SourceKeys, conversation_id, kem_public, member_pair, sign_of
from .sizes import ENVELOPE, MAC

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def binding(org: bytes, direction: int, epoch: int, tag: bytes) -> bytes:
    """HPKE's `info`: what an envelope is bound to (spec 5.6)."""
    return b"sottovoce/v1/envelope" + org + bytes([direction]) + epoch.to_bytes(4, "big") + tag


def seal(plaintext: bytes, public: bytes, info: bytes) -> bytes:
    """Encapsulated key, ciphertext, AEAD tag: 1,136 bytes more (RFC 9180 section 6.1; spec 5.7).

    Refused("body") when `public` is no key, or one that gives no shared secret (spec 3.2).
    """
    key = kem_public(public)
    try:
        return SUITE.encrypt(plaintext, key, info)
    except ValueError as error:
        raise Refused("body", "The X-Wing key gives no shared secret.") from error


def unseal(envelope: bytes, key: KemKey, info: bytes) -> bytes:
    """The plaintext; Refused("size") or Refused("seal") (spec 5.7)."""
    if len(envelope) != ENVELOPE:
        raise Refused("size", f"An envelope has {ENVELOPE} bytes.")
    try:
        return SUITE.decrypt(envelope, key.private, info)
    except (InvalidTag, ValueError) as error:
        raise Refused("seal", "This key does not open the envelope.") from error


@dataclass(frozen=True)
class Audience:
    """To whom a source writes: the verified roster's hash and 16 X25519 keys, and the day's duty key."""

    org: bytes
    roster_hash: bytes
    members: Sequence[bytes]
    duty: bytes
    epoch: int


def seal_to_desk(
    keys: SourceKeys, audience: Audience, body: Body, *, tag: bytes, message_id: bytes, seen: bytes
) -> bytes:
    """One envelope from a source to the desk; `tag` and `message_id` are 16 random bytes (spec 7.1)."""
    data = body.encode()
    part = DeskPart(
        Header(TO_DESK, message_id), data, body_hash(data), audience.roster_hash, keys.kem.public, keys.dh, keys.c, seen
    )
    info = binding(audience.org, TO_DESK, audience.epoch, tag)
    digest = part.digest()
    pairs = (keys.pair(slot, member) for slot, member in enumerate(audience.members))
    macs = b"".join(pair.mac(info, digest) for pair in pairs)
    return seal(replace(part, macs=macs).encode(), audience.duty, info)


@dataclass(frozen=True)
class UntrustedMessage:
    """A message that a duty key opened; nobody knows yet whether it is what its source wrote."""

    part: DeskPart
    org: bytes = field(repr=False)
    info: bytes = field(repr=False)

    @property
    def roster_hash(self) -> bytes:
        """Names the roster whose slots the MACs are for."""
        return self.part.roster_hash

    def verify(self, device: X25519PrivateKey, slot: int) -> Message:
        """The message, when its MAC for `slot` is right (spec 7.2); else Refused.

        `slot` is the device's place in the roster that `roster_hash` names.
        """
        part = self.part
        pair = member_pair(device, part.dh, part.c, self.org, slot)  # tries a DH with the received key
        expected = pair.mac(self.info, part.digest())
        if not hmac.compare_digest(expected, part.macs[MAC * slot : MAC * (slot + 1)]):
            raise Refused("authentication", "The message was not written by the source whose keys it carries.")
        if part.header.parts != 1:
            raise Refused("reassembly", "The message has several parts: a newer program can join them.")
        if body_hash(part.body) != part.body_hash:
            raise Refused("body", "The body is not the one that the message commits to.")
        seal(bytes(1), part.kem, b"")  # tries a sealing: an answer must be possible
        return Message(part, conversation_id(self.org, part.kem, part.dh, part.c), Body.decode(part.body), pair)


@dataclass(frozen=True)
class Message:
    """A verified message of a source; only UntrustedMessage.verify makes one."""

    part: DeskPart
    conversation: bytes
    body: Body
    pair: PairKey = field(repr=False)

    @property
    def sign(self) -> tuple[str, str]:
        """The conversation's sign (spec 3.5)."""
        return sign_of(self.conversation)


def open_at_desk(envelope: bytes, duty: KemKey, org: bytes, epoch: int, tag: bytes) -> UntrustedMessage:
    """Opens an envelope with the duty key of `epoch` (spec 7.2); Refused names the layer."""
    info = binding(org, TO_DESK, epoch, tag)
    part = decode(unseal(envelope, duty, info), TO_DESK)
    if not isinstance(part, DeskPart):
        raise Refused("reassembly", "This is a later part of a longer message: a newer program can join it.")
    return UntrustedMessage(part, org, info)


@dataclass(frozen=True)
class Place:
    """Where an answer lies: who answers (slot), and when (epoch, quarter n)."""

    epoch: int
    slot: int
    n: int


def seal_to_source(
    pair: PairKey, kem: bytes, org: bytes, place: Place, body: Body, *, message_id: bytes, received: int, newest: int
) -> tuple[bytes, bytes]:
    """The tag and the envelope of one answer (spec 7.3); `kem` is the source's X-Wing key."""
    data = body.encode()
    received = min(received, 0xFFFF)  # a source that floods its own conversation shall not make it unanswerable
    tag = pair.answer_tags(place.epoch)[place.n]
    header = Header(TO_SOURCE, message_id, slot=place.slot, n=place.n)
    part = SourcePart(header, data, body_hash(data), received, newest)
    info = binding(org, TO_SOURCE, place.epoch, tag)
    part = replace(part, mac=pair.mac(info, part.digest()))
    return tag, seal(part.encode(), kem, info)


@dataclass(frozen=True)
class Answer:
    """A verified answer: `received` messages had arrived when it was written, the newest in epoch `newest`."""

    place: Place
    message_id: bytes
    body: Body
    received: int
    newest: int


def open_at_source(envelope: bytes, keys: SourceKeys, pair: PairKey, place: Place) -> Answer:
    """Opens what lies under the tag of `place` (spec 7.4); Refused names the layer."""
    tag = pair.answer_tags(place.epoch)[place.n]
    info = binding(keys.org, TO_SOURCE, place.epoch, tag)
    part = decode(unseal(envelope, keys.kem, info), TO_SOURCE)
    if not isinstance(part, SourcePart) or part.header.parts != 1:
        raise Refused("reassembly", "The answer has several parts: a newer program can join them.")
    if (part.header.slot, part.header.n) != (place.slot, place.n):
        raise Refused("header", "The answer is in another member's place.")
    if not hmac.compare_digest(pair.mac(info, part.digest()), part.mac):
        raise Refused("authentication", "The answer was not written by the member in whose place it lies.")
    if body_hash(part.body) != part.body_hash:
        raise Refused("body", "The body is not the one that the answer commits to.")
    return Answer(place, part.header.message_id, Body.decode(part.body), part.received, part.newest)
