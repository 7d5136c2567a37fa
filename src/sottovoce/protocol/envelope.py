"""Plaintexts of envelopes: 7,056 bytes in three layouts, integers big-endian (spec 1.1, 5.1, 5.2, 5.3).

    every plaintext    version 1  direction 1  part 1  parts 1  length 2  slot 1  n 1  message id 16
    part 0 to desk     body hash 32  roster hash 32  kem 1,216  dh 32  c 32  seen 256  MACs 256   room 5,176
    part 0 to source   body hash 32  received 2  newest 4  MAC 16                                 room 6,978
    later parts        nothing                                                                     room 7,032

What follows the body's bytes is zero, and checked.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from .errors import Refused
from .sizes import ANSWER_EPOCHS, MAC, PLAINTEXT, QUARTERS, SLOTS, VERSION

TO_DESK, TO_SOURCE = 0, 1
PARTS = 16
SEEN = 256  # a bit for each answer that can lie in 32 epochs: 32 · 16 slots · 4 quarters

_HEADER = struct.Struct(">BBBBHBB16s")
_DESK = struct.Struct(">32s32s1216s32s32s256s256s")
_SOURCE = struct.Struct(">32sHI16s")
DESK_ROOM = PLAINTEXT - _HEADER.size - _DESK.size
SOURCE_ROOM = PLAINTEXT - _HEADER.size - _SOURCE.size
LATER_ROOM = PLAINTEXT - _HEADER.size
_DESK_MACS = slice(_HEADER.size + _DESK.size - SLOTS * MAC, _HEADER.size + _DESK.size)
_SOURCE_MAC = slice(_HEADER.size + _SOURCE.size - MAC, _HEADER.size + _SOURCE.size)


@dataclass(frozen=True)
class Header:
    """What every plaintext begins with (spec 5.1)."""

    direction: int
    message_id: bytes
    part: int = 0
    parts: int = 1
    slot: int = 0
    n: int = 0

    def _pack(self, length: int) -> bytes:
        return _HEADER.pack(VERSION, self.direction, self.part, self.parts, length, self.slot, self.n, self.message_id)


@dataclass(frozen=True)
class DeskPart:
    """Part 0 of a message to the desk (spec 5.2); `macs` are 16 MACs joined, zero until they are known."""

    header: Header
    body: bytes = field(repr=False)
    body_hash: bytes
    roster_hash: bytes
    kem: bytes = field(repr=False)
    dh: bytes
    c: bytes = field(repr=False)
    seen: bytes = field(repr=False)
    macs: bytes = field(default=bytes(SLOTS * MAC), repr=False)

    def encode(self) -> bytes:
        """The 7,056 bytes of this part."""
        fields = _DESK.pack(self.body_hash, self.roster_hash, self.kem, self.dh, self.c, self.seen, self.macs)
        return _fill(self.header, fields, self.body)

    def digest(self) -> bytes:
        """SHA-256 of the plaintext with the MAC fields zero (spec 5.4)."""
        return desk_digest(self.encode())


@dataclass(frozen=True)
class SourcePart:
    """Part 0 of an answer (spec 5.3): `received` messages arrived, the newest in the epoch `newest`."""

    header: Header
    body: bytes = field(repr=False)
    body_hash: bytes
    received: int
    newest: int
    mac: bytes = bytes(MAC)

    def encode(self) -> bytes:
        """The 7,056 bytes of this part."""
        return _fill(self.header, _SOURCE.pack(self.body_hash, self.received, self.newest, self.mac), self.body)

    def digest(self) -> bytes:
        """SHA-256 of the plaintext with the MAC field zero (spec 5.4)."""
        return _digest(self.encode(), _SOURCE_MAC)


@dataclass(frozen=True)
class LaterPart:
    """Any part but the first; the body hash of part 0 authenticates it (spec 5.1)."""

    header: Header
    body: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The 7,056 bytes of this part."""
        return _fill(self.header, b"", self.body)


def parts_of(body: bytes, first_room: int) -> int:
    """How many parts a body fills, 1 to 16; ValueError when it is too long for sixteen (spec 5.8)."""
    count = 1 + max(0, -(-(len(body) - first_room) // LATER_ROOM))
    if count > PARTS:
        raise ValueError(f"the body is too long for {PARTS} envelopes")
    return count


def split(body: bytes, first_room: int) -> list[bytes]:
    """A body as its parts' bodies: the first as full as it can be, then the next (spec 5.8)."""
    starts = range(first_room, first_room + LATER_ROOM * (parts_of(body, first_room) - 1), LATER_ROOM)
    return [body[:first_room], *(body[start : start + LATER_ROOM] for start in starts)]


def _fill(header: Header, fields: bytes, body: bytes) -> bytes:
    start = header._pack(len(body)) + fields
    if len(start) + len(body) > PLAINTEXT:
        raise ValueError(f"the body is {len(start) + len(body) - PLAINTEXT} bytes too long for one envelope")
    return (start + body).ljust(PLAINTEXT, b"\0")


def desk_digest(plaintext: bytes) -> bytes:
    """The digest of a first part to the desk, from its exact 7,056 bytes (spec 5.4)."""
    return _digest(plaintext, _DESK_MACS)


def _digest(plaintext: bytes, macs: slice) -> bytes:
    return hashlib.sha256(plaintext[: macs.start] + bytes(macs.stop - macs.start) + plaintext[macs.stop :]).digest()


def decode(plaintext: bytes, direction: int) -> DeskPart | SourcePart | LaterPart:
    """The part that 7,056 bytes hold; Refused("header") when a field is not allowed (spec 5.1, 5.2, 5.3)."""
    header, length = _header(plaintext, direction)
    rest = plaintext[_HEADER.size :]
    if header.part:
        return LaterPart(header, _body(rest, 0, length))
    if direction == TO_DESK:
        body_hash, roster_hash, kem, dh, c, seen, macs = _DESK.unpack_from(rest)
        body = _body(rest, _DESK.size, length)
        return DeskPart(header, body, body_hash, roster_hash, kem, dh, c, seen, macs)
    body_hash, received, newest, mac = _SOURCE.unpack_from(rest)
    return SourcePart(header, _body(rest, _SOURCE.size, length), body_hash, received, newest, mac)


def _header(plaintext: bytes, direction: int) -> tuple[Header, int]:
    if len(plaintext) != PLAINTEXT:
        raise Refused("header", f"A plaintext has {PLAINTEXT} bytes.")
    version, way, part, parts, length, slot, n, message_id = _HEADER.unpack_from(plaintext)
    if version != VERSION:
        raise Refused("header", f"The message is of version {version}: a newer program can read it.")
    if way != direction:
        raise Refused("header", "The message goes the other way.")
    if not part < parts <= PARTS:
        raise Refused("header", f"Part {part} of {parts} can't be.")
    if slot >= SLOTS or n >= QUARTERS or (direction == TO_DESK and (slot or n)):
        raise Refused("header", "The slot or the quarter can't be.")
    return Header(way, message_id, part, parts, slot, n), length


def _body(rest: bytes, start: int, length: int) -> bytes:
    if length > len(rest) - start:
        raise Refused("header", "The body is longer than its room.")
    if rest[start + length :] != bytes(len(rest) - start - length):
        raise Refused("header", "What follows the body is not zero.")
    return rest[start : start + length]


def seen_bit(now_epoch: int, epoch: int, slot: int, n: int) -> int:
    """The bit of an answer in `seen`: 64·age + 4·slot + n, age 0 being tomorrow (spec 5.5)."""
    age = now_epoch + 1 - epoch
    if not 0 <= age <= ANSWER_EPOCHS + 1:
        raise ValueError("the answer is not within the 32 epochs")
    return 64 * age + QUARTERS * slot + n


def seen_bitmap(bits: set[int]) -> bytes:
    """256 bytes; bit b is bit b mod 8 (from the least) of byte b div 8 (spec 5.5)."""
    return sum(1 << bit for bit in bits).to_bytes(SEEN, "little")


def seen_bits(bitmap: bytes) -> set[int]:
    """The bits that are set in 256 bytes (spec 5.5)."""
    return {8 * at + bit for at, byte in enumerate(bitmap) if byte for bit in range(8) if byte >> bit & 1}


def body_hash(body: bytes) -> bytes:
    """SHA-256 over all bodies of a message joined (spec 5.1)."""
    return hashlib.sha256(body).digest()
