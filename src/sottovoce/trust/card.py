"""The card and the access list: what each holds, and who must have signed it (spec 8.7 and 8.8)."""

from __future__ import annotations

from collections.abc import Sequence

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import KEY, SLOTS

from .roster import Root, check_words
from .signed import Untrusted, Verified, is_bytes, shape


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
        card = self._card()
        if root.claim.serial < card.least_root:
            raise Refused("roster", "The card asks for a newer root document than this one.")
        return card

    def verify_kept(self, root: Root) -> Card:
        """A card that was verified before and kept: its time may be over, and its root had a successor."""
        self.check(root.org, root.keys, 1, self.claim.issued)
        return self._card()

    def _card(self) -> Card:
        card = Card._made(self.claim, self.raw)
        match self.claim.body:
            case [str() as name, list() as addresses, list() as languages, list() as accounts, int(), int()]:
                shape(all(isinstance(item, str) for item in [*addresses, *languages, *accounts]), "card")
                shape(all(type(least) is int for least in self.claim.body[4:]), "card")
                card.name, card.addresses, card.languages, card.accounts = name, addresses, languages, accounts
                card.least_root, card.least_roster = self.claim.body[4:]
            case _:
                shape(False, "card")
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
        return self._access()

    def verify_kept(self, root: Root) -> Access:
        """An access list that was verified before and kept: its time may be over, and its root had a successor."""
        self.check(root.org, root.keys, 1, self.claim.issued)
        return self._access()

    def _access(self) -> Access:
        access = Access._made(self.claim, self.raw)
        match self.claim.body:
            case [str() as address, dict() as clients] if len(clients) <= SLOTS:
                shape(all(type(slot) is int and 0 <= slot < SLOTS for slot in clients), "access")
                shape(all(is_bytes(key, KEY) for key in clients.values()), "access")
                access.address, access.clients = address, clients
            case _:
                shape(False, "access")
        return access
