"""Transport keys: a device's X-Wing key of a week, to which colleagues seal mailbox items (spec 8.12)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sealing import seal
from sottovoce.protocol.sizes import KEM_PUBLIC, SLOTS

from .roster import Roster
from .signed import LIMIT, Claim, Untrusted, Verified, is_bytes, shape

TRANSPORT_DAYS = 7  # an item that waits longer is asked for again: a stolen key opens a week of them at most
_ALL_MOST = 65_536  # 16 of about 1,500 bytes


class Transport(Verified):
    """The transport key of the device in `slot`."""

    slot: int
    key: bytes

    @property
    def key_hash(self) -> bytes:
        """SHA-256 of the public key: what a post to the mailbox names (spec 9.19)."""
        return hashlib.sha256(self.key).digest()


class UntrustedTransport(Untrusted):
    """A transport key that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedTransport:
        """Takes the bytes apart."""
        return cls.read(raw, "transport")

    @property
    def slot(self) -> int:
        """The slot that it names, not verified yet; Refused when it names none."""
        match self.claim.body:
            case [int() as slot, bytes() as key] if type(slot) is int and 0 <= slot < SLOTS:
                shape(is_bytes(key, KEM_PUBLIC), "transport")
                return slot
        raise Refused("roster", "The transport's content is not of the form it must have.")

    def verify(self, roster: Roster, today: int, least: int = 0) -> Transport:
        """The transport key, when the device that is in its slot now signed it, for a week at most (spec 8.12)."""
        slot, key = self.slot, self.claim.body[1]
        self.check(roster.claim.org, [roster.slots[slot].signing], 1, today, least)
        shape(self.claim.expires - self.claim.issued <= TRANSPORT_DAYS, "transport")
        try:
            seal(b"\0", key, b"")  # a colleague's bad key shall stop nobody's sync later
        except Refused as error:
            raise Refused("roster", "The transport key is no X-Wing key that can be sealed to.") from error
        transport = Transport._made(self.claim, self.raw)
        transport.slot, transport.key = slot, key
        return transport


def transport_claim(roster: Roster, slot: int, serial: int, today: int, key: bytes) -> Claim:
    """What a device signs: its X-Wing public key for the coming week (spec 8.12)."""
    return Claim("transport", roster.claim.org, serial, today, today + TRANSPORT_DAYS, [slot, key])


def join_transports(raws: Iterable[bytes]) -> bytes:
    """Several signed transport keys as one answer (spec 9.17)."""
    return cbor.encode(list(raws))


def read_transports(raw: bytes, roster: Roster, today: int) -> dict[int, Transport]:
    """The valid transport keys in an answer (spec 9.17), by slot; those that are not valid are left out.

    Refused when the answer is none.
    """
    items = cbor.decode(raw, "roster", _ALL_MOST)
    if not isinstance(items, list) or not all(isinstance(item, bytes) and len(item) <= LIMIT for item in items):
        raise Refused("roster", "This is no list of transport keys.")
    found: dict[int, Transport] = {}
    for item in items:
        try:
            transport = UntrustedTransport.of(item).verify(roster, today)
        except Refused:
            continue
        if transport.slot not in found or found[transport.slot].claim.serial < transport.claim.serial:
            found[transport.slot] = transport
    return found
