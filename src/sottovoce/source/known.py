"""What a device knows of one organisation: signed, public things in one folder, and nothing secret.

The first meeting takes any organisation, whose name and check words a person compares; later ones must go on from what
is kept. Losing the folder costs that memory, a changed one can lead to another organisation at the next visit: compare
the check words again then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust.card import Card, UntrustedCard
from sottovoce.trust.duty import DutyList, UntrustedDutyList
from sottovoce.trust.notice import Kind, Notice, Notices, read_notice
from sottovoce.trust.published import Published, write_durably
from sottovoce.trust.roster import Root, Roster, UntrustedRoot, UntrustedRoster
from sottovoce.trust.signed import Claim, Untrusted

from .errors import Alarm, SourceError

Show = Callable[[str], bytes | None]  # the signed thing of a kind as the onion shows it; may raise RoadError
_OLDER = (
    "The onion shows an older {kind} than this device saw before. Write nothing now, and try again tomorrow; if it "
    "stays so, ask the organisation by another way."
)
_TWO = (
    "The onion shows another {kind} than before under the same number. Write nothing, and ask the organisation by "
    "another way."
)
_OTHER = (
    "This onion shows another organisation than the one that {folder} knows. Write nothing. Compare its address letter "
    "by letter, and ask the organisation by another way."
)
_ELSEWHERE = (
    "The organisation's card does not name this onion: somebody may have put themselves in between. Write nothing. "
    "Take an address that the organisation itself publishes."
)


@dataclass(frozen=True)
class Known:
    """The folder with what was verified; `refresh` asks the onion, verifies all anew, and keeps it."""

    folder: Path

    @property
    def onion(self) -> str | None:
        """The address that is kept; None before the first meeting."""
        try:
            return (self.folder / "onion").read_text("ascii").strip()
        except FileNotFoundError:
            return None

    def org(self) -> bytes | None:
        """The organisation that is kept, by its hash."""
        root = self._root()
        return root.org if root else None

    def keep(self, onion: str, published: Published, today: int) -> None:
        """Keeps an address and what was verified there; files say no finer time than the day."""
        for kind in ("root", "card", "roster", "duty"):
            thing: Root | Card | Roster | DutyList | None = getattr(published, kind)
            if thing is not None and thing.raw != self._raw(kind):
                write_durably(self._path(kind), thing.raw, today)
        for notice in published.notices.held:
            if notice.raw != self._raw(notice.claim.kind):
                write_durably(self._path(notice.claim.kind), notice.raw, today)
        if onion != self.onion:
            write_durably(self.folder / "onion", onion.encode(), today)

    def meet(self, onion: str, show: Show, today: int) -> Published:
        """All that the onion shows, verified against what is kept; it keeps nothing. Refused, SourceError, Alarm."""
        root = self._meet_root(_need(show, "root"), today)
        card = UntrustedCard.of(_need(show, "card"))
        _in_time(card.claim, today)
        roster = UntrustedRoster.of(_need(show, "roster"))
        _in_time(roster.claim, today)
        published = Published(root, (checked := roster.verify(root, today)), card.verify(root, today), None)
        self._compare("card", published.card)
        self._compare("roster", checked)
        if checked.claim.serial < published.card.least_roster:
            raise Alarm(_OLDER.format(kind="roster"))
        if onion not in published.card.addresses:
            raise Alarm(_ELSEWHERE)
        notices = Notices.of(lambda kind: self._meet_notice(kind, show(kind), checked, today), today)
        duty = self._meet_duty(show("duty"), checked, today)
        return Published(root, checked, published.card, duty, notices=notices)

    def _meet_root(self, raw: bytes, today: int) -> Root:
        shown, held = UntrustedRoot.of(raw), self._root()
        _in_time(shown.claim, today)
        root = shown.verify(None, today)
        if held is None:
            return root
        if root.org != held.org:
            raise Alarm(_OTHER.format(folder=self.folder.parent))
        if len(root.hashes) < len(held.hashes):
            raise Alarm(_OLDER.format(kind="root"))
        if not root.continues(held):
            raise Alarm(_TWO.format(kind="root"))
        return root

    def _meet_duty(self, raw: bytes | None, roster: Roster, today: int) -> DutyList | None:
        """The duty list, None when none holds today: then nobody can write, but read."""
        try:
            duty = UntrustedDutyList.of(raw or b"").verify(roster, today)
        except Refused:
            return None
        held = self._raw("duty")
        if held is not None and UntrustedDutyList.of(held).claim.body[0] == roster.hash:
            self._compare("duty", duty, "duty list")  # a new roster's lists begin anew
        return duty

    def _meet_notice(self, kind: Kind, raw: bytes | None, roster: Roster, today: int) -> Notice | None:
        """The newest of what is shown and what is kept: an onion that hides one that was seen gains nothing."""
        found = (read_notice(each, kind, roster, today) for each in (self._raw(kind), raw))
        return max((each for each in found if each is not None), key=lambda each: each.claim.serial, default=None)

    def _compare(self, kind: str, shown: Card | Roster | DutyList, name: str = "") -> None:
        raw = self._raw(kind)
        if raw is None:
            return
        held = Untrusted.read(raw, kind)
        if shown.claim.serial < held.claim.serial:
            raise Alarm(_OLDER.format(kind=name or kind))
        if shown.claim.serial == held.claim.serial and shown.hash != sha256(held.payload).digest():
            raise Alarm(_TWO.format(kind=name or kind))

    def _root(self) -> Root | None:
        raw = self._raw("root")
        if raw is None:
            return None
        held = UntrustedRoot.of(raw)
        return held.verify(None, held.claim.issued)

    def _path(self, kind: str) -> Path:
        return self.folder / f"{kind}.signed"

    def _raw(self, kind: str) -> bytes | None:
        try:
            return self._path(kind).read_bytes()
        except FileNotFoundError:
            return None


def _need(show: Show, kind: str) -> bytes:
    raw = show(kind)
    if raw is None:
        raise SourceError(f"The onion shows no {kind}: check the address, or try again later.")
    return raw


def _in_time(claim: Claim, today: int) -> None:
    """Says what is amiss in days; the signature is checked afterwards, and what is out of time is refused anyway."""
    what = f"The organisation's {claim.kind}"
    clock = f"this device's clock says {day(today)}"
    if today > claim.expires:
        raise SourceError(
            f"{what} held until {day(claim.expires)}, and {clock}. If the clock is right, nobody can write: try again "
            "in some days."
        )
    if today < claim.issued - 1:
        raise SourceError(f"{what} begins on {day(claim.issued)}, and {clock}: set the clock.")


def day(epoch: int) -> str:
    """An epoch as a date; an impossible one as its number."""
    try:
        return datetime.fromtimestamp(epoch * EPOCH_SECONDS, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return f"day {epoch}"
