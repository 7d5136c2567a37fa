"""Root, roster, duty list, card and access list: what each holds, and who must have signed it (spec 8.4 to 8.8)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import HASH, KEM_PUBLIC, KEY, SLOTS
from sottovoce.protocol.words import words_of

from .signed import Claim, Untrusted, Verified, layer_of

ROSTER_DAYS = 180  # a roster that nobody renews for half a year is nobody's any more
DUTY_DAYS = 7
DUTY_DAYS_MOST = 28  # a longer list is a longer rollback and a longer loot
FIRST_ORG = bytes(HASH)  # the first root document can't name its own hash


def check_words(org: bytes) -> tuple[str, ...]:
    """Six English words that stand for an organisation, to compare by two ways (spec 8.7)."""
    return words_of(org, 6)


def _shape(ok: bool, kind: str) -> None:
    if not ok:
        raise Refused(layer_of(kind), f"The {kind}'s content is not of the form it must have.")


def _is_bytes(value: object, size: int) -> bool:
    return isinstance(value, bytes) and len(value) == size


class Root(Verified):
    """The organisation's identity: the hash of its first root document, and the key that signs now."""

    org: bytes
    key: bytes


class UntrustedRoot(Untrusted):
    """A root document; the first is signed by its own key."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedRoot:
        """Takes the bytes apart."""
        return cls.read(raw, "root")

    def verify(self, org: bytes | None, today: int) -> Root:
        """The root, when its hash is the anchor `org` (spec 8.4); None only where it is first met, by a person."""
        key = self.claim.body
        _shape(_is_bytes(key, KEY), "root")
        name = hashlib.sha256(self.payload).digest()
        if org is not None and name != org:
            raise Refused("roster", "The root document is another organisation's.")
        self.check(FIRST_ORG, [key], 1, today)
        root = Root._made(self.claim, self.raw)
        root.org, root.key = name, key
        return root


@dataclass(frozen=True)
class Slot:
    """A member device's place: its X25519 and Ed25519 keys and a label that need not be a name."""

    dh: bytes
    signing: bytes
    label: str


class Roster(Verified):
    """16 slots, and how many members must sign a duty list."""

    threshold: int
    slots: Sequence[Slot]

    def slot_of(self, dh: bytes) -> int | None:
        """The slot of a device by its X25519 key, None if it has none."""
        return next((number for number, slot in enumerate(self.slots) if slot.dh == dh), None)


class UntrustedRoster(Untrusted):
    """A roster that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedRoster:
        """Takes the bytes apart."""
        return cls.read(raw, "roster")

    def verify(self, root: Root, today: int, least: int = 0) -> Roster:
        """The roster, when the root signed it, for today, with a serial of at least `least` (spec 8.5)."""
        self.check(root.org, [root.key], 1, today, least)
        roster = Roster._made(self.claim, self.raw)
        match self.claim.body:
            case [1 | 2 as threshold, list() as slots] if type(threshold) is int and len(slots) == SLOTS:
                roster.threshold, roster.slots = threshold, [_slot(slot) for slot in slots]
            case _:
                _shape(False, "roster")
        _shape(self.claim.expires - self.claim.issued <= ROSTER_DAYS, "roster")
        _shape(len({slot.dh for slot in roster.slots}) == SLOTS, "roster")
        return roster


def _slot(value: object) -> Slot:
    match value:
        case [bytes() as dh, bytes() as signing, str() as label] if len(dh) == len(signing) == KEY and len(label) <= 40:
            return Slot(dh, signing, label)
    raise Refused("roster", "A slot of the roster is not of the form it must have.")


class DutyList(Verified):
    """The duty keys of the coming epochs."""

    keys: dict[int, bytes]
    roster_hash: bytes

    def days_left(self, today: int) -> int:
        """How many epochs from today on have a key."""
        return sum(epoch >= today for epoch in self.keys)


class UntrustedDutyList(Untrusted):
    """A duty list that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedDutyList:
        """Takes the bytes apart."""
        return cls.read(raw, "duty")

    def verify(self, roster: Roster, today: int, least: int = 0) -> DutyList:
        """The duty list, when as many members signed it as the roster's threshold says (spec 8.6)."""
        signers = [slot.signing for slot in roster.slots]
        self.check(roster.claim.org, signers, roster.threshold, today, least)
        duty = DutyList._made(self.claim, self.raw)
        match self.claim.body:
            case [bytes() as roster_hash, dict() as keys] if 0 < len(keys) <= DUTY_DAYS_MOST:
                _shape(all(type(e) is int and _is_bytes(key, KEM_PUBLIC) for e, key in keys.items()), "duty")
                duty.keys, duty.roster_hash = keys, roster_hash
            case _:
                _shape(False, "duty")
        if duty.roster_hash != roster.hash:
            raise Refused("duty list", "The duty list belongs to another roster.")
        _shape(max(duty.keys) == self.claim.expires and min(duty.keys) >= self.claim.issued - 1, "duty")
        _shape(self.claim.expires - self.claim.issued <= DUTY_DAYS_MOST, "duty")  # few keys far apart hold no longer
        return duty


class Card(Verified):
    """The organisation's public contact card."""

    name: str
    addresses: Sequence[str]
    languages: Sequence[str]
    accounts: Sequence[str]
    least_root: int
    least_roster: int

    @property
    def check_words(self) -> tuple[str, ...]:
        """Six words from `org`, to compare by two ways."""
        return check_words(self.claim.org)


class UntrustedCard(Untrusted):
    """A card that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedCard:
        """Takes the bytes apart."""
        return cls.read(raw, "card")

    def verify(self, root: Root, today: int, least: int = 0) -> Card:
        """The card, when the root signed it and is not older than the card's least root (spec 8.7)."""
        self.check(root.org, [root.key], 1, today, least)
        card = Card._made(self.claim, self.raw)
        match self.claim.body:
            case [str() as name, list() as addresses, list() as languages, list() as accounts, int(), int()]:
                _shape(all(isinstance(item, str) for item in [*addresses, *languages, *accounts]), "card")
                _shape(all(type(least) is int for least in self.claim.body[4:]), "card")
                card.name, card.addresses, card.languages, card.accounts = name, addresses, languages, accounts
                card.least_root, card.least_roster = self.claim.body[4:]
            case _:
                _shape(False, "card")
        if root.claim.serial < card.least_root:
            raise Refused("roster", "The card asks for a newer root document than this one.")
        return card


class Access(Verified):
    """The members' onion, and the client keys of the devices that may reach it; never public."""

    address: str
    clients: dict[int, bytes]


class UntrustedAccess(Untrusted):
    """An access list that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedAccess:
        """Takes the bytes apart."""
        return cls.read(raw, "access")

    def verify(self, root: Root, today: int, least: int = 0) -> Access:
        """The access list, when the root signed it (spec 8.8)."""
        self.check(root.org, [root.key], 1, today, least)
        access = Access._made(self.claim, self.raw)
        match self.claim.body:
            case [str() as address, dict() as clients] if len(clients) <= SLOTS:
                _shape(all(type(slot) is int and _is_bytes(key, KEY) for slot, key in clients.items()), "access")
                access.address, access.clients = address, clients
            case _:
                _shape(False, "access")
        return access


def duty_claim(roster: Roster, serial: int, today: int, keys: dict[int, bytes]) -> Claim:
    """What a member signs: the duty keys by epoch (spec 8.6)."""
    return Claim("duty", roster.claim.org, serial, today, max(keys), [roster.hash, keys])
