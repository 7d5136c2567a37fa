"""Messages to the desk, of one part or of several: sealing, opening, believing (spec 7.1, 7.2).

open_at_desk   ->  UntrustedMessage --verify-->  FirstPart --join--> Message
               ->  UntrustedPart     (believed only when a FirstPart's body hash covers it)
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from .body import Body
from .envelope import DESK_ROOM, TO_DESK, DeskPart, Header, LaterPart, body_hash, decode, desk_digest, parts_of, split
from .errors import Refused
from .keys import KemKey, SourceKeys, check_kem, conversation_id, member_pair, sign_of
from .sealing import binding, seal, unseal
from .sizes import MAC


@dataclass(frozen=True)
class Audience:
    """To whom a source writes: the verified roster's hash and 16 X25519 keys, and the day's duty key."""

    org: bytes
    roster_hash: bytes
    members: Sequence[bytes]
    duty: bytes
    epoch: int


def parts_to_desk(body: bytes) -> int:
    """How many envelopes an encoded body fills, 1 to 16; ValueError when it is too long for sixteen (spec 5.8)."""
    return parts_of(body, DESK_ROOM)


def seal_to_desk(
    keys: SourceKeys, audience: Audience, body: Body, *, tags: Sequence[bytes], message_id: bytes, seen: bytes
) -> list[bytes]:
    """The envelopes of one message, one a part, each under its tag of `tags` (spec 7.1).

    `tags` and `message_id` are 16 random bytes each; there is a tag for every part (ValueError).
    """
    data = body.encode()
    bodies = split(data, DESK_ROOM)
    headers = [Header(TO_DESK, message_id, part, len(bodies)) for part in range(len(bodies))]
    infos = [binding(audience.org, TO_DESK, audience.epoch, tag) for tag, _ in zip(tags, bodies, strict=True)]
    hashes = (body_hash(data), audience.roster_hash)
    first = DeskPart(headers[0], bodies[0], *hashes, keys.kem.public, keys.dh, keys.c, seen)
    later = [LaterPart(header, part) for header, part in zip(headers[1:], bodies[1:], strict=True)]
    plaintexts = [_with_macs(first, keys, audience.members, infos[0]).encode(), *(part.encode() for part in later)]
    return [seal(plaintext, audience.duty, info) for plaintext, info in zip(plaintexts, infos, strict=True)]


def _with_macs(part: DeskPart, keys: SourceKeys, members: Sequence[bytes], info: bytes) -> DeskPart:
    digest = part.digest()
    pairs = (keys.pair(slot, member) for slot, member in enumerate(members))
    return replace(part, macs=b"".join(pair.mac(info, digest) for pair in pairs))


@dataclass(frozen=True)
class UntrustedMessage:
    """A first part that a duty key opened; nobody knows yet whether it is what its source wrote.

    `plaintext` are its exact 7,056 bytes: what a colleague needs to check the MAC of its own slot.
    """

    part: DeskPart
    org: bytes = field(repr=False)
    info: bytes = field(repr=False)
    plaintext: bytes = field(repr=False)

    @property
    def roster_hash(self) -> bytes:
        """Names the roster whose slots the MACs are for."""
        return self.part.roster_hash

    def verify(self, device: X25519PrivateKey, slot: int) -> FirstPart:
        """The part, when its MAC for `slot` is right (spec 7.2.4 to 7.2.6); else Refused.

        `slot` is the device's place in the roster that `roster_hash` names.
        """
        part = self.part
        pair = member_pair(device, part.dh, part.c, self.org, slot)  # tries a DH with the received key
        expected = pair.mac(self.info, desk_digest(self.plaintext))
        if not hmac.compare_digest(expected, part.macs[MAC * slot : MAC * (slot + 1)]):
            raise Refused("authentication", "The message was not written by the source whose keys it carries.")
        return self._believed(vouched=False)

    def vouched(self, device: X25519PrivateKey) -> FirstPart:
        """The part without its MAC: this device is not in the message's roster, a colleague vouches (spec 7.2.3)."""
        member_pair(device, self.part.dh, self.part.c, self.org, 0)
        return self._believed(vouched=True)

    def _believed(self, *, vouched: bool) -> FirstPart:
        check_kem(self.part.kem)  # an answer must be possible (spec 7.2.6)
        return FirstPart(self.part, conversation_id(self.org, self.part.kem, self.part.dh, self.part.c), vouched)


@dataclass(frozen=True)
class UntrustedPart:
    """A later part that a duty key opened: it carries no keys, so only a first part's body hash makes it believed."""

    part: LaterPart
    plaintext: bytes = field(repr=False)

    @property
    def message_id(self) -> bytes:
        """Names the message that it says it belongs to."""
        return self.part.header.message_id


@dataclass(frozen=True)
class FirstPart:
    """A verified first part; `vouched`: a colleague vouches for it, its MAC could not be checked here."""

    part: DeskPart
    conversation: bytes
    vouched: bool

    @property
    def message_id(self) -> bytes:
        """The message's id, 16 bytes."""
        return self.part.header.message_id

    @property
    def parts(self) -> int:
        """How many parts the message has, 1 to 16."""
        return self.part.header.parts

    @property
    def sign(self) -> tuple[str, str]:
        """The conversation's sign (spec 3.5)."""
        return sign_of(self.conversation)

    def join(self, later: Sequence[bytes]) -> Message:
        """The message, from the bodies of the later parts in order (none, when there is one part; spec 7.2.8, 7.2.9).

        Refused("reassembly") when one is missing, Refused("body") when they are not what the first part commits to.
        """
        if len(later) != self.parts - 1:
            raise Refused("reassembly", f"Of {self.parts} parts {len(later) + 1} are here.")
        body = b"".join([self.part.body, *later])
        if body_hash(body) != self.part.body_hash:
            raise Refused("body", "The body is not the one that the message commits to.")
        return Message(self, Body.decode(body))


@dataclass(frozen=True)
class Message:
    """A whole verified message of a source; only FirstPart.join makes one."""

    first: FirstPart
    body: Body


def open_at_desk(envelope: bytes, duty: KemKey, org: bytes, epoch: int, tag: bytes) -> UntrustedMessage | UntrustedPart:
    """Opens an envelope with a duty key of `epoch` (spec 7.2.1, 7.2.2); Refused names the layer."""
    return read_at_desk(unseal(envelope, duty, binding(org, TO_DESK, epoch, tag)), org, epoch, tag)


def read_at_desk(plaintext: bytes, org: bytes, epoch: int, tag: bytes) -> UntrustedMessage | UntrustedPart:
    """The same from the exact plaintext of what lay under `tag`, as a colleague forwards it (spec 10.5)."""
    part = decode(plaintext, TO_DESK)
    if isinstance(part, DeskPart):
        return UntrustedMessage(part, org, binding(org, TO_DESK, epoch, tag), plaintext)
    if isinstance(part, LaterPart):
        return UntrustedPart(part, plaintext)
    raise Refused("header", "The message goes the other way.")
