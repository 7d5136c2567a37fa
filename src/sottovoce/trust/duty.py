"""Duty lists and their drafts: the keys of the coming epochs, and how many members must sign (spec 8.6, 8.11)."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import KEM_PUBLIC

from .roster import Roster
from .signed import Claim, Untrusted, Verified, encode, is_bytes, shape

DUTY_DAYS = 7
DUTY_DAYS_MOST = 28  # a longer list is a longer rollback and a longer loot


class _Duty(Verified):
    keys: dict[int, bytes]
    roster_hash: bytes

    def days_left(self, today: int) -> int:
        """How many epochs from today on have a key."""
        return sum(epoch >= today for epoch in self.keys)


class DutyList(_Duty):
    """The duty keys of the coming epochs, with all signatures that it needs."""


class DutyDraft(_Duty):
    """A duty list that one member signed at least; whether those are enough, `missing` says (spec 8.11).

    `signatures` are the valid ones only, by the members' Ed25519 keys; `raw` holds exactly these.
    """

    signatures: Mapping[bytes, bytes]
    missing: int

    def sign(self, device: Ed25519PrivateKey) -> bytes:
        """The draft's bytes with one signature more: for a member who opened the private halves of all its keys."""
        public = device.public_key().public_bytes_raw()
        return encode(self.claim.payload(), {**self.signatures, public: self.claim.signature(device)})

    def merge(self, other: DutyDraft) -> bytes:
        """The bytes with both drafts' signatures; Refused when they are not drafts of the same list."""
        if self.hash != other.hash:
            raise Refused("duty list", "These are drafts of two different duty lists: sync first.")
        return encode(self.claim.payload(), {**self.signatures, **other.signatures})


class UntrustedDutyList(Untrusted):
    """A duty list or a draft of one that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedDutyList:
        """Takes the bytes apart."""
        return cls.read(raw, "duty")

    def verify(self, roster: Roster, today: int, least: int = 0) -> DutyList:
        """The duty list, when as many members signed it as the roster's threshold says (spec 8.6)."""
        self._check(roster, roster.threshold, today, least)
        duty = DutyList._made(self.claim, self.raw)
        duty.roster_hash, duty.keys = self.claim.body
        return duty

    def draft(self, roster: Roster, today: int, least: int = 0) -> DutyDraft:
        """The draft, when one member of the roster signed it at least (spec 8.11).

        Signatures that are not valid are left out of its `raw`.
        """
        self._check(roster, 1, today, least)
        signatures = self.valid(slot.signing for slot in roster.slots)
        draft = DutyDraft._made(self.claim, encode(self.payload, signatures))
        draft.roster_hash, draft.keys = self.claim.body
        draft.signatures, draft.missing = signatures, max(0, roster.threshold - len(signatures))
        return draft

    def _check(self, roster: Roster, threshold: int, today: int, least: int) -> None:
        self.check(roster.claim.org, [slot.signing for slot in roster.slots], threshold, today, least)
        match self.claim.body:
            case [bytes() as roster_hash, dict() as keys] if 0 < len(keys) <= DUTY_DAYS_MOST:
                shape(all(type(e) is int and is_bytes(key, KEM_PUBLIC) for e, key in keys.items()), "duty")
            case _:
                shape(False, "duty")
        if roster_hash != roster.hash:
            raise Refused("duty list", "The duty list belongs to another roster.")
        shape(max(keys) == self.claim.expires and min(keys) >= self.claim.issued - 1, "duty")
        shape(self.claim.expires - self.claim.issued <= DUTY_DAYS_MOST, "duty")  # few keys far apart hold no longer


def duty_claim(roster: Roster, serial: int, today: int, keys: dict[int, bytes]) -> Claim:
    """What a member signs: the duty keys by epoch (spec 8.6)."""
    return Claim("duty", roster.claim.org, serial, today, max(keys), [roster.hash, keys])
