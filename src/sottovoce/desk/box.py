"""This device's mailbox: its transport keys, what colleagues sent, what goes to them (spec 10.1, 10.2).

A transport key is replaced whenever it brought something, so that a stolen vault opens nothing of what lay in the
mailbox before. The order is: keep the new one, publish it (from then on the server takes nothing for the old one),
fetch once more, destroy the old one. After a crash or a loss at any step the next sync goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sottovoce.pool.team import AT_ONCE, RECEIPT, PostResult
from sottovoce.pool.team_client import Conflict
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.mailbox import Item, open_item, seal_item
from sottovoce.protocol.sizes import ANSWER_EPOCHS, KEY
from sottovoce.trust.transport import Transport, UntrustedTransport, read_transports, transport_claim

from .road import SyncReport
from .trusted import Trusted
from .vault import Vault

FRESH_DAYS = 4  # a key with fewer left is replaced, so that one who is away for a long weekend can still be written to
_ROUNDS = 80  # of 64 items: more than a full box of 4,096
_BARREN = 4  # rounds with nothing for us, drawn anew each time, before the rest is given up


class TeamRoad(Protocol):
    """The calls of the members' onion that a team needs; each may raise RoadError, the `put_…` Conflict."""

    def signed(self, kind: str) -> bytes | None:
        """What the server holds of a kind."""

    def draft(self) -> bytes | None:
        """The draft of the next duty list."""

    def put_draft(self, raw: bytes) -> bool:
        """Hands in a draft or a signature more; True when it is the published list now."""

    def transports(self) -> bytes:
        """All transport keys."""

    def put_transport(self, raw: bytes) -> None:
        """Hands in this device's new transport key."""

    def post_item(self, slot: int, transport_hash: bytes, receipt_hash: bytes, item: bytes) -> PostResult:
        """Posts an item."""

    def items(self, slot: int) -> list[bytes]:
        """At most 64 items."""

    def acknowledge(self, receipts: Sequence[bytes]) -> None:
        """Deletes at most 64 items."""


Take = Callable[[Item], None]  # what is done with an item, inside a transaction; Refused when it says nothing proper


@dataclass(frozen=True)
class OwnKey:
    """A transport key of this device: `published` is False until the server is known to have it."""

    serial: int
    seed: bytes = field(repr=False)
    raw: bytes = field(repr=False)
    published: bool

    @property
    def transport(self) -> UntrustedTransport:
        """What was signed of it."""
        return UntrustedTransport.of(self.raw)

    def lasts(self, slot: int, today: int) -> bool:
        """Whether it is this slot's and not near its end."""
        return self.transport.slot == slot and self.transport.claim.expires - today >= FRESH_DAYS


class Box:
    """The mailbox of this device in its slot of the newest roster; one for each sync."""

    def __init__(
        self, vault: Vault, trusted: Trusted, slot: int, today: int, random: Callable[[int], bytes], report: SyncReport
    ) -> None:
        self._vault, self._rows, self._random = vault, vault.rows, random
        self._roster, self._org, self.slot, self._today = trusted.roster, trusted.org, slot, today
        self._report = report
        self._device = Ed25519PrivateKey.from_private_bytes(vault.device_key("signing"))
        self._shown: dict[int, Transport] | None = None
        self.fresh = False  # whether the only transport key was made in this sync

    # What goes to colleagues.

    def colleagues(self, road: TeamRoad) -> dict[int, Transport]:
        """The other slots that have a valid transport key."""
        return {slot: each for slot, each in self._transports(road).items() if slot != self.slot}

    def _transports(self, road: TeamRoad) -> dict[int, Transport]:
        if self._shown is None:
            try:
                shown = read_transports(road.transports(), self._roster, self._today)
            except Refused:
                shown = {}
            self._shown = {slot: each for slot, each in shown.items() if self._notes(slot, each)}
        return self._shown

    def _notes(self, slot: int, shown: Transport) -> bool:
        """Notes who was there; False for an older key than the one that was seen before."""
        device = self._roster.slots[slot].signing
        held = self._rows("SELECT serial FROM colleague WHERE (slot, device) = (?, ?)", slot, device)
        if held and held[0][0] > shown.claim.serial:
            self._report.warn("The server shows an older transport key of a colleague: ask who runs it.")
            return False
        values = (slot, device, shown.claim.serial, shown.claim.issued, shown.claim.expires)
        self._rows("INSERT OR REPLACE INTO colleague VALUES (?, ?, ?, ?, ?)", *values)
        return True

    def post(self, road: TeamRoad, slot: int, content: bytes) -> bool:
        """Sends something to a colleague; False when that slot takes nothing now."""
        for _ in range(2):  # the key may have been replaced since: then once more
            transport = self._transports(road).get(slot)
            if transport is None:
                return False
            result = self._post(road, transport, content)
            if result is not PostResult.STALE:
                return result is not PostResult.FULL
            self._shown = None
        return False

    def _post(self, road: TeamRoad, to: Transport, content: bytes) -> PostResult:
        receipt = self._random(RECEIPT)
        item = seal_item(
            content,
            receipt,
            org=self._org,
            sender=self.slot,
            receiver=to.slot,
            device=self._device,
            transport=to.key,
        )
        return road.post_item(to.slot, to.key_hash, sha256(receipt).digest(), item)

    # What came.

    def keys(self) -> list[OwnKey]:
        """The transport keys whose private halves are here, the newest first."""
        rows = self._rows("SELECT serial, seed, raw, published FROM transport ORDER BY serial DESC")
        return [OwnKey(serial, seed, raw, bool(published)) for serial, seed, raw, published in rows]

    def receive(self, road: TeamRoad, take: Take) -> None:
        """Takes in all that came, and replaces the transport key if it brought anything, or for its age."""
        self._acknowledge(road)
        came, _ = self._drain(road, take)
        keys = self.keys()
        shown = self._transports(road).get(self.slot)
        settled = len(keys) == 1 and keys[0].published and keys[0].lasts(self.slot, self._today)
        if came or not settled or shown is None or shown.raw != keys[0].raw:
            self.rotate(road, take)

    def rotate(self, road: TeamRoad, take: Take) -> None:
        """Replaces the transport key; what was sealed to the old one is taken in before that is destroyed."""
        made = self._publish(road)
        _, whole = self._drain(road, take)
        self._forget(made, whole=whole)

    def _publish(self, road: TeamRoad) -> OwnKey:
        """The new key, known to be the server's."""
        keys = self.keys()
        waiting = keys[0] if keys and not keys[0].published and keys[0].lasts(self.slot, self._today) else None
        made = waiting or self._make(road)
        try:
            road.put_transport(made.raw)
        except Conflict:  # the serial was taken: this vault is older than what the server has seen of this device
            self._shown = None
            made = self._make(road)
            road.put_transport(made.raw)
        self._rows("UPDATE transport SET published = 1 WHERE serial = ?", made.serial)
        self.fresh, self._shown = made is not waiting, None
        return made

    def _make(self, road: TeamRoad) -> OwnKey:
        held = self.keys()
        shown = self._transports(road).get(self.slot)
        serial = max(held[0].serial if held else 0, shown.claim.serial if shown else 0) + 1
        seed = self._random(KEY)
        claim = transport_claim(self._roster, self.slot, serial, self._today, KemKey(seed).public)
        raw = claim.sign([self._device])
        self._rows("INSERT INTO transport VALUES (?, ?, ?, 0)", serial, seed, raw)
        return OwnKey(serial, seed, raw, published=False)

    def _forget(self, newest: OwnKey, *, whole: bool) -> None:
        """Destroys the old keys; if the box could not be emptied, only those whose time is over."""
        for key in self.keys():
            over = key.transport.claim.expires < self._today
            if key.serial != newest.serial and (whole or over):
                self._rows("DELETE FROM transport WHERE serial = ?", key.serial)
        if len(self.keys()) > 1:
            self.fresh = False
            self._report.warn("The mailbox is full of what this device can't open: ask your colleagues what they do.")

    def _drain(self, road: TeamRoad, take: Take) -> tuple[int, bool]:
        """Fetches until nothing is left; how much came, and whether all was seen."""
        keys = [KemKey(key.seed) for key in self.keys()]
        came = barren = 0
        for _ in range(_ROUNDS if keys else 0):
            sealed = road.items(self.slot)
            opened = self._take_in(sealed, keys, take)
            came += opened
            self._acknowledge(road)
            if len(sealed) < AT_ONCE:
                return came, True
            barren = 0 if opened else barren + 1
            if barren == _BARREN:
                break
        return came, not keys

    def _take_in(self, sealed: Sequence[bytes], keys: Sequence[KemKey], take: Take) -> int:
        """Takes in what opens, each with its receipt in one transaction; how many these were."""
        opened = 0
        for raw in sealed:
            item = self._open(raw, keys)
            if item is None:
                continue
            opened += 1
            with self._vault.transaction():
                try:
                    with self._vault.transaction():
                        take(item)
                except Refused:
                    self._report.items_refused += 1
                self._rows("INSERT OR IGNORE INTO receipt VALUES (?)", item.receipt)
        return opened

    def _open(self, sealed: bytes, keys: Sequence[KemKey]) -> Item | None:
        name = sha256(sealed).digest()
        if self._rows("SELECT 1 FROM unopened WHERE hash = ?", name):
            return None
        signers = [slot.signing for slot in self._roster.slots]
        for key in keys:
            try:
                return open_item(sealed, org=self._org, receiver=self.slot, transport=key, signers=signers)
            except Refused as error:
                if error.layer not in ("seal", "size"):
                    self._report.items_refused += 1
                    return None
        self._rows("INSERT INTO unopened VALUES (?, ?)", name, self._today)  # counted once, and not tried again
        self._rows("DELETE FROM unopened WHERE epoch < ?", self._today - ANSWER_EPOCHS - 1)
        self._report.items_refused += 1
        return None

    def _acknowledge(self, road: TeamRoad) -> None:
        """Deletes on the server what is durably here; a lost answer leaves the receipts for the next time."""
        while rows := self._rows("SELECT receipt FROM receipt LIMIT ?", AT_ONCE):
            receipts = [receipt for (receipt,) in rows]
            road.acknowledge(receipts)
            for receipt in receipts:
                self._rows("DELETE FROM receipt WHERE receipt = ?", receipt)
