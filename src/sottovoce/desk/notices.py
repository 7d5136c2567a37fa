"""Notices to sources as one desk signs, keeps, hands in, takes over and misses them (spec 8.15, 9.13).

What was signed here is kept before it is handed in; what the server took, and what colleagues signed, is kept too: so a
desk knows which notice sources should see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sottovoce.pool.team_client import Conflict
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust.notice import AWAY_MOST, KINDS, Kind, Notice, Notices, UntrustedNotice, notice_claim, read_notice
from sottovoce.trust.signed import SERIAL_MOST

from .errors import DeskError
from .road import Report, Road
from .trusted import Trusted
from .vault import Vault

WARN_DAYS = 21  # before a notice of compromise ends
_VERBS: dict[Kind, str] = {"absence": "away", "compromise": "compromise"}


class DeskNotices:
    """The notices in one vault, on one day."""

    def __init__(self, vault: Vault, trusted: Trusted, today: int) -> None:
        self._vault, self._trusted, self._today = vault, trusted, today

    def held(self, kind: Kind) -> Notice | None:
        """The newest that the server is known to have had, if it holds by the newest roster."""
        return self._read(kind, self._today)

    def waiting(self, kind: Kind) -> Notice | None:
        """What was signed here and is not known to be handed in."""
        return self._read(f"own {kind}", self._today)

    def _read(self, name: str, today: int | None) -> Notice | None:
        raw = next(iter(self._vault.signed(name)), None)
        kind: Kind = "absence" if name.endswith("absence") else "compromise"
        return read_notice(raw, kind, self._trusted.roster, today)

    def up(self) -> Notices:
        """What sources should be told today, as far as this desk knows."""
        return Notices.of(self.held, self._today)

    def sign(self, kind: Kind, day: int | None) -> Notice:
        """Signs a notice, or with None its withdrawal, and keeps it until it is handed in; DeskError."""
        check_day(kind, day, self._today)
        roster = self._trusted.roster
        if self._trusted.slot(roster) is None:
            raise DeskError("This device is not, or no longer, in the roster: a colleague must sign the notice.")
        seen = (self._read(name, None) for name in (kind, f"own {kind}"))
        serial = max((each.claim.serial for each in seen if each is not None), default=0) + 1
        if serial > SERIAL_MOST:
            raise DeskError("A device has used up the numbers of this notice: the office must remove it first.")
        device = Ed25519PrivateKey.from_private_bytes(self._vault.device_key("signing"))
        raw = notice_claim(roster, kind, serial, self._today, day).sign([device])
        notice = UntrustedNotice.of(raw, kind).verify(roster, self._today)
        self._keep(f"own {kind}", notice)
        return notice

    def sync(self, road: Road, report: Report) -> None:
        """Takes over what colleagues signed, and hands in what the server lacks; faults of the road are noted."""
        for kind in KINDS:
            report.attempt(partial(self.exchange, kind, road, report))

    def exchange(self, kind: Kind, road: Road, report: Report) -> None:
        """The same for one kind. Where another was first, that is taken in, and looked once more; RoadError."""
        try:
            self._exchange(kind, road, report)
        except Conflict:
            self._exchange(kind, road, report)

    def _exchange(self, kind: Kind, road: Road, report: Report) -> None:
        shown = self.take(kind, road, report)
        own, held = self.waiting(kind), self.held(kind)
        newest = own or held
        if newest is None or (shown is not None and shown.claim.serial >= newest.claim.serial):
            return
        if own is None:
            report.warn(f"The server had lost the notice of {kind}, and is given it again: ask who runs it.")
        road.put_notice(kind, newest.raw)
        self._settle(kind, newest)

    def take(self, kind: Kind, road: Road, report: Report) -> Notice | None:
        """Takes over what members are shown, when it is newer than what is held; RoadError."""
        shown = read_notice(road.signed(kind), kind, self._trusted.roster, self._today)
        held, own = self._read(kind, None), self.waiting(kind)
        if shown is None or (held is not None and shown.claim.serial < held.claim.serial):
            return shown
        if held is not None and shown.claim.serial == held.claim.serial:
            if shown.hash != held.hash:
                report.alarm(f"Two notices of {kind} have the number {shown.claim.serial}: ask who signed them.")
            return shown
        if own is None or own.hash != shown.hash:
            report.warn(f"A colleague signed a notice: {told(kind, shown.day)}.")
        if own is not None and own.claim.serial <= shown.claim.serial and own.hash != shown.hash:
            report.warn(f"So your own notice of {kind} was dropped: sign it again if it shall take that one's place.")
        self._settle(kind, shown)
        return shown

    def _settle(self, kind: Kind, newest: Notice) -> None:
        """Keeps what the server has; what waits here and is not newer waits no more."""
        own = self.waiting(kind)
        with self._vault.transaction():
            self._keep(kind, newest)
            if own is None or own.claim.serial <= newest.claim.serial:
                self._vault.rows("DELETE FROM signed WHERE kind = ?", f"own {kind}")

    def _keep(self, name: str, notice: Notice) -> None:
        self._vault.keep_signed(name, notice.hash, notice.claim.serial, notice.raw)

    def warnings(self) -> Iterable[str]:
        """What is amiss with the notices; sentences for the member."""
        for kind in KINDS:
            if self.waiting(kind) is not None:
                yield f"A notice of {kind} that was signed here is not handed in yet: sync this desk."
            elif self._orphaned(kind, self._vault.signed(kind)):
                yield (
                    f"The notice of {kind} holds no more, since the device that signed it left the roster: is it still "
                    f"true, then sign it anew with `desk {_VERBS[kind]}`."
                )
        held = self.held("compromise")
        if held is not None and held.day is not None and held.claim.expires < self._today + WARN_DAYS:
            days = held.claim.expires - self._today + 1
            yield f"The notice of compromise ends in {days} days: is it still true, then sign it anew."

    def _orphaned(self, kind: Kind, raws: Sequence[bytes]) -> bool:
        """Whether what is held, was verified here once and is not over fails by the newest roster alone."""
        if not raws or self._read(kind, None) is not None:
            return False
        claim = UntrustedNotice.of(raws[0], kind).claim
        last = claim.body if kind == "absence" else claim.expires
        return claim.body != 0 and self._today <= last


def check_day(kind: Kind, day: int | None, today: int) -> None:
    """DeskError when a notice of this kind can't name this day."""
    if day is None:
        return
    if kind == "absence" and day < today:
        raise DeskError(f"{_date(day)} is over: name the last day on which nobody will read.")
    if kind == "absence" and day > today + AWAY_MOST:
        raise DeskError(f"{_date(day)} is more than {AWAY_MOST} days away: name an earlier day, and sign anew then.")
    if kind == "compromise" and day > today:
        raise DeskError(f"{_date(day)} is still to come: name the first day whose messages may be known to others.")
    if day < 1:
        raise DeskError("No message is that old: name the first day whose messages may be known to others.")


def told(kind: Kind, day: int | None) -> str:
    """What a notice tells sources, as part of a sentence for members."""
    if day is None:
        what = "nobody reads" if kind == "absence" else "messages may be known to others"
        return f"sources are not told any more that {what}"
    date = _date(day)
    what = f"nobody reads until {date}" if kind == "absence" else f"messages since {date} may be known to others"
    return f"sources are told that {what}"


def _date(epoch: int) -> str:
    return datetime.fromtimestamp(epoch * EPOCH_SECONDS, UTC).date().isoformat()
