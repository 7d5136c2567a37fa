"""The signed things that a server holds in one folder: read, verified, and a new duty list taken."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.message import Audience
from sottovoce.protocol.sizes import EPOCH_SECONDS

from .call_list import CallList, digest_of
from .calls import SignedCall, read_calls
from .card import Access, Card, UntrustedAccess, UntrustedCard
from .duty import DutyList, UntrustedDutyList
from .languages import Advice, read_advice, read_languages
from .notice import KINDS as NOTICES
from .notice import NONE, Kind, Notice, Notices, read_notice
from .roster import Root, Roster, UntrustedRoot, UntrustedRoster

_SHOWN = ("root", "card", "roster", "duty", "languages", "advice", "calls", *NOTICES)


@dataclass(frozen=True)
class Published:
    """What the organisation says today, verified; `duty` is None where no valid list is.

    `languages`: by tag, SHA-256 of the texts that it signed off, English not among them. `advice`: None where there is
    none; look whether it is fresh. `calls`: the organisation's own ones, by name.
    """

    root: Root
    roster: Roster
    card: Card
    duty: DutyList | None
    languages: Mapping[str, bytes] = field(default_factory=dict)
    advice: Advice | None = None
    notices: Notices = NONE
    calls: Mapping[str, SignedCall] = field(default_factory=dict)

    def audience(self, today: int) -> Audience | None:
        """To whom a source writes today; None when there is no duty key for today (never something weaker)."""
        key = self.duty.keys.get(today) if self.duty else None
        if key is None:
            return None
        members = [slot.dh for slot in self.roster.slots]
        return Audience(self.root.org, self.roster.hash, members, key, today)


class _File(NamedTuple):
    stamp: tuple[int, int, int]  # inode, change time, size: another after each write
    raw: bytes


class _Held(NamedTuple):
    today: int
    raws: tuple[bytes | None, ...]
    published: Published


class SignedFolder:
    """A folder of signed files, one a kind, as the office hands them to the server.

    Changes by other processes are seen at the next call. Raises Refused with a sentence when a file is missing or
    not valid.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, _File] = {}
        self._held: _Held | None = None  # verified once a day, and after each change

    def get(self, kind: str) -> bytes | None:
        """The bytes of one kind, None where there are none."""
        try:
            status = self.path(kind).stat()
            stamp = (status.st_ino, status.st_ctime_ns, status.st_size)
            if kind not in self._files or self._files[kind].stamp != stamp:
                self._files[kind] = _File(stamp, self.path(kind).read_bytes())
        except FileNotFoundError:
            return None
        return self._files[kind].raw

    def path(self, kind: str) -> Path:
        """Where a kind lies."""
        return self.folder / f"{kind}.signed"

    def _need(self, kind: str) -> bytes:
        raw = self.get(kind)
        if raw is None:
            raise Refused("roster", f"There is no signed {kind} in the server's folder: copy it there from the office.")
        return raw

    def root(self, today: int) -> Root:
        """The root: the folder was filled by the office, so its first root document is the anchor here."""
        return UntrustedRoot.of(self._need("root")).verify(None, today)

    def access(self, today: int) -> Access:
        """Who may reach the members' onion."""
        return UntrustedAccess.of(self._need("access")).verify(self.root(today), today)

    def published(self, today: int) -> Published:
        """All that the public sees, verified.

        While an operator copies new files one after the other they may not fit together: until they do, the day's
        last ones hold.
        """
        raws = tuple(self.get(kind) for kind in _SHOWN)
        if self._held is None or self._held[:2] != (today, raws):
            try:
                self._held = _Held(today, raws, self._verify(today))
            except Refused:
                if self._held is None or self._held.today != today:
                    raise
        return self._held.published

    def _verify(self, today: int) -> Published:
        root = self.root(today)
        card = UntrustedCard.of(self._need("card")).verify(root, today)
        roster = UntrustedRoster.of(self._need("roster")).verify(root, today, card.least_roster)
        languages = read_languages(self.get("languages"), root, today)
        advice, duty = read_advice(self.get("advice"), root), self._duty(roster, today)
        notices = Notices.of(lambda kind: self.notice(kind, roster, today), today)
        calls = read_calls(self.get("calls"), root, today)
        return Published(root, roster, card, duty, languages, advice, notices, calls)

    def notice(self, kind: Kind, roster: Roster, today: int | None) -> Notice | None:
        """The held notice of a kind, when it is the roster's; `today` is None where its time does not matter."""
        return read_notice(self.get(kind), kind, roster, today)

    def languages(self) -> Mapping[str, bytes]:
        """SHA-256 of each language's signed-off texts; no day is asked, since a sign-off holds until the next one."""
        root = self._any_root()
        return read_languages(self.get("languages"), root, None) if root is not None else {}

    def _any_root(self) -> Root | None:
        """The root, whatever its time; None where there is none."""
        try:
            read = UntrustedRoot.of(self._need("root"))
            return read.verify(None, read.claim.issued)
        except Refused:
            return None

    def pack_path(self, tag: str) -> Path:
        """Where the texts of a signed-off language lie."""
        return self.folder / f"language-{tag}.pack"

    def pack(self, tag: str) -> bytes | None:
        """The texts of a language exactly as they were signed off; None for all others, also for damaged ones."""
        try:
            raw = self.pack_path(tag).read_bytes() if tag in (languages := self.languages()) else None
        except OSError:
            return None
        return raw if raw is not None and hashlib.sha256(raw).digest() == languages[tag] else None

    def calls(self) -> Mapping[str, SignedCall]:
        """The organisation's own calls by name; no day is asked, since each says its last one."""
        root = self._any_root()
        return read_calls(self.get("calls"), root, None) if root is not None else {}

    def list_path(self, name: str) -> Path:
        """Where the list of a call's files lies."""
        return self.folder / f"call-{name}.list"

    def call_list(self, name: str) -> CallList | None:
        """The list of a call's files exactly as it was signed; None for all others, also for damaged ones."""
        try:
            call = self.calls()[name]
            raw = self.list_path(name).read_bytes()
            listed = CallList.read(raw) if digest_of(raw) == call.hash else None
        except (KeyError, OSError, Refused):
            return None
        return listed if listed is not None and (listed.name, listed.until) == (name, call.until) else None

    def _duty(self, roster: Roster, today: int | None) -> DutyList | None:
        """The held duty list, when it is the roster's; `today` is None where its time does not matter."""
        try:
            read = UntrustedDutyList.of(self._need("duty"))
            return read.verify(roster, read.claim.issued if today is None else today)
        except Refused:  # also a damaged file: it shall not lock members out
            return None

    def duty_serial(self, roster: Roster) -> int:
        """The serial that a new duty list must exceed: the held one's, if that belongs to this roster, else 0.

        So nobody's greatest possible serial outlives their removal from the roster.
        """
        held = self._duty(roster, None)
        return held.claim.serial if held is not None else 0

    def put_duty(self, raw: bytes, today: int) -> None:
        """Takes a newer duty list: valid, and its serial greater than the held one's; else Refused (spec 9.5).

        Of two renewals made at once the second so finds its serial taken, and syncs first.
        """
        roster = self.published(today).roster
        new = UntrustedDutyList.of(raw).verify(roster, today)
        held = self._duty(roster, None)
        if held is not None and held.hash == new.hash:
            return  # the same again: its sender missed the answer
        if new.claim.serial <= (least := self.duty_serial(roster)):
            raise Refused("duty list", f"The duty list's serial must be greater than {least}: sync first.")
        write_durably(self.path("duty"), new.raw, today)


def write_durably(path: Path, raw: bytes, day: int | None = None) -> None:
    """Writes a file that only its owner reads, whole or not at all; with a `day`, its times say no more than that."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        _coarsen(fresh, day)
        os.fsync(file.fileno())
    fresh.replace(path)
    _settle(path.parent, day)


def _coarsen(path: Path, day: int | None) -> None:
    if day is not None:
        os.utime(path, (day * EPOCH_SECONDS,) * 2)


def remove_durably(path: Path, day: int) -> None:
    """Removes a file, if it is there; the folder's times say no more than the `day`."""
    path.unlink(missing_ok=True)
    _settle(path.parent, day)


def _settle(folder: Path, day: int | None) -> None:
    """Makes what was renamed or removed in a folder durable."""
    _coarsen(folder, day)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
