"""Root and roster: what each holds, and who must have signed it (spec 8.4 and 8.5)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import HASH, KEY, SLOTS
from sottovoce.protocol.words import words_of

from .signed import LIMIT, Claim, Untrusted, Verified, is_bytes, shape

ROSTER_DAYS = 180  # a roster that nobody renews for half a year is nobody's any more
LABEL_MOST = 40  # characters
ROOTS = 64  # documents in a chain: one a year for longer than anybody's film is watched
FIRST_ORG = bytes(HASH)  # the first root document can't name its own hash


def check_words(org: bytes) -> tuple[str, ...]:
    """Six English words that stand for an organisation, to compare by two ways (spec 8.7)."""
    return words_of(org, 6)


class Root(Verified):
    """The organisation's identity: the hash of its first root document, and the key that signs now.

    `claim` and `hash` are the newest document's; `raw` is the whole chain. `keys` are all that ever signed,
    the first one's first; `hashes` name the documents in the same order.
    """

    org: bytes
    key: bytes
    keys: Sequence[bytes]
    hashes: Sequence[bytes]

    def continues(self, held: Root) -> bool:
        """Whether this chain has the other one as its beginning: each has one successor only."""
        return self.hashes[: len(held.hashes)] == held.hashes


@dataclass(frozen=True)
class UntrustedRoot:
    """A chain of root documents: the first is signed by its own key, each later one by the key before it too."""

    raw: bytes = field(repr=False)
    documents: Sequence[Untrusted] = field(repr=False)

    @classmethod
    def of(cls, raw: bytes) -> UntrustedRoot:
        """Takes the bytes apart."""
        match cbor.decode(raw, "roster", LIMIT):
            case [*documents] if 0 < len(documents) <= ROOTS and all(isinstance(each, bytes) for each in documents):
                return cls(raw, [Untrusted.read(each, "root") for each in documents])
        raise Refused("roster", "This is no root document of an organisation.")

    @property
    def claim(self) -> Claim:
        """What the newest document says."""
        return self.documents[-1].claim

    def verify(self, org: bytes | None, today: int, held: Root | None = None) -> Root:
        """The root, when the chain begins with the document whose hash is the anchor `org` (spec 8.4).

        `org` is None only where the root is first met, by a person. Who has a root already gives it as `held`:
        a chain that does not go on from that one is refused. Only the newest document's time counts.
        """
        hashes = [hashlib.sha256(each.payload).digest() for each in self.documents]
        for each in self.documents:
            shape(is_bytes(each.claim.body, KEY), "root")
        if org is not None and hashes[0] != org:
            raise Refused("roster", "The root document is another organisation's.")
        self._check_first()
        for before, after in pairwise(self.documents):
            _check_successor(before.claim, after, hashes[0])
        _check_today(self.claim, today)
        return self._root(hashes, held)

    def _check_first(self) -> None:
        first = self.documents[0]
        shape(first.claim.serial == 1, "root")
        first.check(FIRST_ORG, [first.claim.body], 1, first.claim.issued)

    def _root(self, hashes: Sequence[bytes], held: Root | None) -> Root:
        keys = [each.claim.body for each in self.documents]
        shape(len(set(keys)) == len(keys), "root")
        root = Root._made(self.claim, self.raw)
        root.org, root.key, root.keys, root.hashes = hashes[0], keys[-1], keys, hashes
        if held is not None and len(hashes) < len(held.hashes):
            raise Refused("roster", "The root is older than one that was seen before.")
        if held is not None and not root.continues(held):
            raise Refused("roster", "The root does not go on from the one that is known here: ask the office at once.")
        return root


def _check_successor(before: Claim, after: Untrusted, org: bytes) -> None:
    shape(after.claim.serial == before.serial + 1 and after.claim.issued >= before.issued, "root")
    after.check(org, [before.body, after.claim.body], 2, after.claim.issued)


def _check_today(claim: Claim, today: int) -> None:
    if not claim.issued - 1 <= today <= claim.expires:
        raise Refused("roster", "The root is not valid today: it needs to be renewed.")


def join_roots(documents: Sequence[bytes]) -> bytes:
    """A chain's bytes from those of its signed documents, the first one first (spec 8.4)."""
    return cbor.encode(list(documents))


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
        return self._roster()

    def verify_kept(self, root: Root) -> Roster:
        """A roster that was verified before and kept: its time is over perhaps, and its root had a successor."""
        self.check(root.org, root.keys, 1, self.claim.issued)
        return self._roster()

    def _roster(self) -> Roster:
        roster = Roster._made(self.claim, self.raw)
        match self.claim.body:
            case [1 | 2 as threshold, list() as slots] if type(threshold) is int and len(slots) == SLOTS:
                roster.threshold, roster.slots = threshold, [_slot(slot) for slot in slots]
            case _:
                shape(False, "roster")
        shape(self.claim.expires - self.claim.issued <= ROSTER_DAYS, "roster")
        shape(len({slot.dh for slot in roster.slots}) == SLOTS, "roster")
        return roster


def _slot(value: object) -> Slot:
    match value:
        case [bytes() as dh, bytes() as signing, str() as label] if (
            len(dh) == len(signing) == KEY and len(label) <= LABEL_MOST
        ):
            return Slot(dh, signing, label)
    raise Refused("roster", "A slot of the roster is not of the form it must have.")


def removed(older: Roster, newer: Roster) -> list[int]:
    """The older roster's slots whose device is not in the newer one (spec 8.13).

    Nobody but the office can tell a free slot that was given away from a device that was replaced, so both are listed.
    """
    devices = {(slot.dh, slot.signing) for slot in newer.slots}
    return [number for number, slot in enumerate(older.slots) if (slot.dh, slot.signing) not in devices]
