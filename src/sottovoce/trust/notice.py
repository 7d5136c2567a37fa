"""Notices of absence and of compromise: what one member's device says to all sources (spec 8.15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from sottovoce.protocol.errors import Refused

from .roster import Roster
from .signed import Claim, Untrusted, Verified, shape

Kind = Literal["absence", "compromise"]
KINDS: tuple[Kind, ...] = ("absence", "compromise")
AWAY_MOST = 60  # days: who is away for longer should not ask people to write
# Days. Every notice of a kind holds equally long, a withdrawal too: no older one outlives what took its place.
LASTS: dict[Kind, int] = {"absence": AWAY_MOST, "compromise": 365}


class Notice(Verified):
    """A notice that one member's device signed; `day` is an epoch, None where the notice is withdrawn.

    Of an absence it is the last day on which nobody reads, of a compromise the first one whose messages may be known.
    """

    day: int | None

    def says(self, today: int) -> int | None:
        """The day that sources are told today: None when it is withdrawn, or the absence is over."""
        over = self.claim.kind == "absence" and self.day is not None and self.day < today
        return None if over else self.day


class UntrustedNotice(Untrusted):
    """A notice that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes, kind: Kind) -> UntrustedNotice:
        """Takes the bytes apart."""
        return cls.read(raw, kind)

    def verify(self, roster: Roster, today: int, least: int = 0) -> Notice:
        """The notice, when a device of the roster signed it: one does, whatever the threshold (spec 8.15)."""
        self.check(roster.claim.org, [slot.signing for slot in roster.slots], 1, today, least)
        kind, day, issued, expires = self.claim.kind, self.claim.body, self.claim.issued, self.claim.expires
        absent = kind == "absence"
        shape(type(day) is int and expires - issued <= LASTS["absence" if absent else "compromise"], kind)
        shape(day == 0 or (issued <= day <= expires if absent else 0 < day <= issued), kind)
        notice = Notice._made(self.claim, self.raw)
        notice.day = day or None
        return notice


class Notices(NamedTuple):
    """What sources are told today, as epochs: the last day of an absence, and since when messages may be known.

    `held` are the notices themselves, withdrawn ones too, for who keeps them.
    """

    away_until: int | None = None
    compromised_since: int | None = None
    held: tuple[Notice, ...] = ()

    @classmethod
    def of(cls, newest: Callable[[Kind], Notice | None], today: int) -> Notices:
        """From the newest notice of each kind."""
        found = {kind: notice for kind in KINDS if (notice := newest(kind)) is not None}
        said = {kind: notice.says(today) for kind, notice in found.items()}
        return cls(said.get("absence"), said.get("compromise"), tuple(found.values()))


NONE = Notices()


def notice_claim(roster: Roster, kind: Kind, serial: int, today: int, day: int | None) -> Claim:
    """What a member's device signs (spec 8.15); `day` as in `Notice`."""
    return Claim(kind, roster.claim.org, serial, today, today + LASTS[kind], day or 0)


def read_notice(raw: bytes | None, kind: Kind, roster: Roster, today: int | None) -> Notice | None:
    """The notice in these bytes; None where there is none that holds: a damaged one shall lock nobody out.

    `today` is None where its time does not matter.
    """
    try:
        read = UntrustedNotice.of(raw or b"", kind)
        return read.verify(roster, read.claim.issued if today is None else today)
    except Refused:
        return None
