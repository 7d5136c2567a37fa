"""The signed things that a server holds in one folder: read, verified, and a new duty list taken."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.message import Audience
from sottovoce.protocol.sizes import EPOCH_SECONDS

from .roster import (
    Access,
    Card,
    DutyList,
    Root,
    Roster,
    UntrustedAccess,
    UntrustedCard,
    UntrustedDutyList,
    UntrustedRoot,
    UntrustedRoster,
)


@dataclass(frozen=True)
class Published:
    """What the organisation says today, verified; `duty` is None where no valid list is."""

    root: Root
    roster: Roster
    card: Card
    duty: DutyList | None

    def audience(self, today: int) -> Audience | None:
        """To whom a source writes today; None when there is no duty key for today (never something weaker)."""
        key = self.duty.keys.get(today) if self.duty else None
        if key is None:
            return None
        members = [slot.dh for slot in self.roster.slots]
        return Audience(self.root.org, self.roster.hash, members, key, today)


class SignedFolder:
    """A folder of signed files, one a kind, as the office hands them to the server.

    Raises Refused with a sentence when a file is missing or not valid.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cache: dict[str, bytes] = {}
        self._today: tuple[int, Published] | None = None  # verified once a day, and after each change

    def get(self, kind: str) -> bytes | None:
        """The bytes of one kind, None where there are none."""
        if kind not in self._cache:
            try:
                self._cache[kind] = self._path(kind).read_bytes()
            except FileNotFoundError:
                return None
        return self._cache[kind]

    def _path(self, kind: str) -> Path:
        return self._folder / f"{kind}.signed"

    def _need(self, kind: str) -> bytes:
        raw = self.get(kind)
        if raw is None:
            raise Refused("roster", f"There is no signed {kind} in the server's folder: copy it there from the office.")
        return raw

    def root(self, today: int) -> Root:
        """The root: the folder was filled by the office, so its root document is the anchor here."""
        return UntrustedRoot.of(self._need("root")).verify(None, today)

    def access(self, today: int) -> Access:
        """Who may reach the members' onion."""
        return UntrustedAccess.of(self._need("access")).verify(self.root(today), today)

    def published(self, today: int) -> Published:
        """All that the public sees, verified."""
        if self._today is None or self._today[0] != today:
            self._today = (today, self._verify(today))
        return self._today[1]

    def _verify(self, today: int) -> Published:
        root = self.root(today)
        card = UntrustedCard.of(self._need("card")).verify(root, today)
        roster = UntrustedRoster.of(self._need("roster")).verify(root, today, card.least_roster)
        return Published(root, roster, card, self._duty(roster, today))

    def _duty(self, roster: Roster, today: int) -> DutyList | None:
        raw = self.get("duty")
        try:
            return UntrustedDutyList.of(raw).verify(roster, today) if raw is not None else None
        except Refused:
            return None

    def _duty_serial(self) -> int:
        raw = self.get("duty")
        try:
            return UntrustedDutyList.of(raw).claim.serial if raw is not None else 0
        except Refused:  # a damaged file shall not lock members out
            return 0

    def put_duty(self, raw: bytes, today: int) -> None:
        """Takes a newer duty list: valid, and its serial greater than the held one's; else Refused.

        Of two renewals made at once the second so finds its serial taken, and syncs first.
        """
        if raw == self.get("duty"):
            return  # the same again: its sender missed the answer
        new = UntrustedDutyList.of(raw).verify(self.published(today).roster, today)
        if new.claim.serial <= (held := self._duty_serial()):
            raise Refused("duty list", f"The duty list's serial must be greater than {held}: sync first.")
        write_durably(self._path("duty"), raw)
        os.utime(self._path("duty"), (today * EPOCH_SECONDS,) * 2)  # no finer time on the server's disk than the day
        self._cache["duty"], self._today = raw, None


def write_durably(path: Path, raw: bytes) -> None:
    """Writes a file that only its owner reads, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
