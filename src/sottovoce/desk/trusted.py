"""What the desk trusts: root, rosters, card and duty list in the vault, compared with what the server shows."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sottovoce.protocol.errors import Refused
from sottovoce.trust.card import Card, UntrustedCard
from sottovoce.trust.roster import Root, Roster, UntrustedRoot, UntrustedRoster
from sottovoce.trust.signed import Verified

from .errors import DeskError
from .road import Report, Road
from .vault import Vault


class Trusted:
    """The signed things of one vault, and this device's place in them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.device = X25519PrivateKey.from_private_bytes(vault.device_key("dh"))
        self._dh = self.device.public_key().public_bytes_raw()
        self.org: bytes = vault.note("org")
        self._root: Root | None = None
        self._rosters: dict[bytes, Roster] = {}  # by their bytes: verified once in the life of this object

    @property
    def root(self) -> Root:
        """The newest root that was verified here; its end does not unmake what it signed."""
        raw = self._vault.signed("root")[0]
        if self._root is None or self._root.raw != raw:
            read = UntrustedRoot.of(raw)
            self._root = read.verify(self.org, read.claim.issued)
        return self._root

    @property
    def rosters(self) -> list[Roster]:
        """All rosters that were verified here, the newest first; none before the office answered."""
        root, raws = self.root, self._vault.signed("roster")
        for raw in raws:
            if raw not in self._rosters:
                self._rosters[raw] = UntrustedRoster.of(raw).verify_kept(root)
        return [self._rosters[raw] for raw in raws]

    @property
    def roster(self) -> Roster:
        """The newest roster; DeskError before the office answered."""
        rosters = self.rosters
        if not rosters:
            raise DeskError(
                "This device is not admitted yet: take its request to the office, and its answer back here."
            )
        return rosters[0]

    def slot(self, roster: Roster) -> int | None:
        """This device's slot, None if it has none."""
        return roster.slot_of(self._dh)

    def held_serial(self, kind: str) -> int:
        """The serial of the newest thing of a kind that is kept, 0 when there is none."""
        return int(self._vault.rows("SELECT coalesce(max(serial), 0) FROM signed WHERE kind = ?", kind)[0][0])

    def keep(self, thing: Verified) -> None:
        """Keeps a verified thing; DeskError if a newer one is held, or another one with the same serial."""
        kind, serial = thing.claim.kind, thing.claim.serial
        if serial < self.held_serial(kind):
            raise DeskError(f"This {kind} is older than the one that was seen before: ask the office for the newest.")
        same = self._vault.rows("SELECT hash FROM signed WHERE kind = ? AND serial = ?", kind, serial)
        if any(held != thing.hash for (held,) in same):
            raise DeskError(f"Two different versions of the {kind} have the number {serial}: ask the office at once.")
        self._vault.keep_signed(kind, thing.hash, serial, thing.raw)

    def refresh(self, road: Road, today: int, report: Report) -> bool:
        """Takes a newer root, card and roster from the server; False when the roster is in doubt."""
        self._take("root", road, report, lambda raw: UntrustedRoot.of(raw).verify(self.org, today, self.root))
        self._take("card", road, report, lambda raw: self._card(raw, today))
        return self._take("roster", road, report, lambda raw: self._new_roster(raw, today))

    def _take(self, kind: str, road: Road, report: Report, verify: Callable[[bytes], Verified]) -> bool:
        raw = road.signed(kind)
        if raw is None:
            report.warn(f"The server shows no {kind}: ask who runs it.")
            return False
        try:
            self.keep(verify(raw))
        except Refused as error:
            report.alarm(f"What the server shows is refused: {error}")
            return False
        except DeskError as error:
            report.alarm(str(error))
            return False
        return True

    def _card(self, raw: bytes, today: int) -> Card:
        return UntrustedCard.of(raw).verify(self.root, today, self.held_serial("card"))

    def _new_roster(self, raw: bytes, today: int) -> Roster:
        cards = self._vault.signed("card")
        root, least = self.root, self.held_serial("roster")
        if cards:
            card = UntrustedCard.of(cards[0])
            least = max(least, card.verify_kept(root).least_roster)
        return UntrustedRoster.of(raw).verify(root, today, least)
