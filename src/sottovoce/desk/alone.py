"""A team of one device: it makes the duty keys by itself. Stands in until desks share them over the mailbox."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.sizes import KEY, epoch_of
from sottovoce.trust.duty import DUTY_DAYS, DutyList, UntrustedDutyList, duty_claim
from sottovoce.trust.roster import Roster

from .errors import DeskError
from .road import Road, SyncReport
from .trusted import Trusted
from .vault import Vault

RENEW_BELOW = 4  # days: a weekend and a Monday off are no reason to close the door


class Alone:
    """Renews the duty list at each sync."""

    def __init__(self, vault: Vault, trusted: Trusted, random: Callable[[int], bytes]) -> None:
        self._vault, self._trusted, self._random = vault, trusted, random

    def receive(self, road: Road, now: float, report: SyncReport) -> None:
        """Nobody sends anything."""

    def destroy(self, now: float, report: SyncReport) -> None:
        """Keeps all keys."""

    def serve(self, road: Road, now: float, report: SyncReport) -> None:
        """Renews the duty list."""
        self._renew(road, epoch_of(now), report)

    def _renew(self, road: Road, today: int, report: SyncReport) -> None:
        """Publishes a new duty list when the server's has fewer than four days; private halves are kept first."""
        roster = self._trusted.roster
        raw = road.signed("duty")
        shown = self._shown(raw, roster, today, report) if raw is not None else None
        if shown is not None and self._trusted.usable(shown.keys, today) >= RENEW_BELOW:
            return
        epochs = range(today, today + DUTY_DAYS)
        held = {epoch for epoch, _ in self._vault.duty_seeds(epochs)}
        self._vault.keep_duty_seeds((epoch, self._random(KEY)) for epoch in epochs if epoch not in held)
        keys = {epoch: KemKey(seed).public for epoch, seed in self._vault.duty_seeds(epochs)}
        claim = duty_claim(roster, self._next_serial(raw), today, keys)
        signed = claim.sign([Ed25519PrivateKey.from_private_bytes(self._vault.device_key("signing"))])
        try:
            new = UntrustedDutyList.of(signed).verify(roster, today)
            road.put_duty(signed)
        except Refused as error:
            report.warn(f"The duty list could not be renewed: {error}")
            return
        self._vault.keep_signed("duty", new.hash, new.claim.serial, new.raw)  # also where the server lost its list
        report.duty_published = True

    def _next_serial(self, raw: bytes | None) -> int:
        """One more than what the server has, believed or not: its check is compare-and-swap."""
        try:
            return (UntrustedDutyList.of(raw).claim.serial if raw is not None else 0) + 1
        except Refused:
            return self._trusted.held_serial("duty") + 1

    def _shown(self, raw: bytes, roster: Roster, today: int, report: SyncReport) -> DutyList | None:
        """The server's duty list, if it holds; an old one or a false one is told."""
        held = self._trusted.held_serial("duty")
        try:
            read = UntrustedDutyList.of(raw)
            if read.claim.serial < held:
                report.alarm("The server shows an older duty list than before: ask who runs it.")
                return None
            duty = read.verify(roster, today)
            self._trusted.keep(duty)
        except Refused:
            return None  # of another roster, or over: a new one is due
        except DeskError as error:
            report.alarm(str(error))
            return None
        return duty
