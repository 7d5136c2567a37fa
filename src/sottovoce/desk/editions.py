"""What a desk knows of the editions: which the door listed, with which hash, and which were read to their end.

A hash that was once listed is held against every later list: an edition is immutable, so one that changes, vanishes
before its time or comes late into a gap is an alarm. Files, not clocks, say when an epoch is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sottovoce.pool.edition import Listed
from sottovoce.protocol.sizes import ANSWER_EPOCHS, EDITION_SECONDS, QUARTERS, edition_of, epoch_of

from .road import Report
from .vault import Vault

WHAT_TO_DO = (
    "The server keeps messages back or changes what it showed: tell the office, keep this vault, and take the address "
    "out of use until it is known who did that."
)
_READABLE = f"""number / {QUARTERS} IN (SELECT epoch FROM duty) OR number / {QUARTERS} - 1 IN (SELECT epoch FROM duty)
  OR number IN (SELECT edition FROM taken) OR number IN (SELECT edition FROM posted)"""  # noqa: S608  # ours
_KEPT = ANSWER_EPOCHS + 10  # epochs for which the hash of an edition is remembered


def name_of(edition: int) -> str:
    """An edition as a person reads it."""
    return datetime.fromtimestamp(edition * EDITION_SECONDS, UTC).strftime("%Y-%m-%d %H:%M UTC")


class Editions:
    """The editions known to one vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault, self._rows = vault, vault.rows

    def held(self) -> dict[int, bytes]:
        """The hash of every edition that was listed, by number."""
        return dict(self._rows("SELECT number, hash FROM edition ORDER BY number"))

    def compare(self, listed: Sequence[Listed], now: float, report: Report) -> list[Listed]:
        """Holds the door's list against what is known, and remembers what is new; what of it can be believed."""
        held, possible = self.held(), [each for each in listed if each.number <= edition_of(now) + QUARTERS]
        for each in listed[len(possible) :]:
            report.alarm(f"The door lists the edition of {name_of(each.number)}, which is in the future. {WHAT_TO_DO}")
        shown, today = {each.number: each.hash for each in possible}, epoch_of(now)
        for number, name in held.items():
            alive = number // QUARTERS > today - ANSWER_EPOCHS  # a day before its end, for clocks that differ
            if number in shown and shown[number] != name:
                report.alarm(f"The edition of {name_of(number)} is not the one that was listed before. {WHAT_TO_DO}")
            elif number not in shown and alive:
                report.alarm(f"The edition of {name_of(number)} is not listed any more. {WHAT_TO_DO}")
        new = {number: name for number, name in shown.items() if number not in held}
        for number in (number for number in new if number < max(held, default=0) and number > min(held)):
            report.alarm(f"The edition of {name_of(number)} was listed only after later ones. {WHAT_TO_DO}")
        for sentence in report.alarms:
            self._vault.keep_alarm(sentence, today)
        self._remember(new, shown, today)
        return [each for each in possible if held.get(each.number, each.hash) == each.hash]

    def _remember(self, new: dict[int, bytes], shown: Iterable[int], today: int) -> None:
        with self._vault.transaction():
            self._vault.many("INSERT INTO edition VALUES (?, ?, 0)", new.items())
            # Without a key for its days there is nothing to read in it; when one comes, the vault says so here.
            self._vault.many(f"UPDATE edition SET read = 1 WHERE number = ? AND NOT ({_READABLE})", ((n,) for n in new))  # noqa: S608  # ours
            self._rows("DELETE FROM edition WHERE number < ?", QUARTERS * (today - _KEPT))
            unread = {number for (number,) in self._rows("SELECT number FROM edition WHERE NOT read")}
            over = (number for number in unread - set(shown) if number // QUARTERS < today - ANSWER_EPOCHS)
            self._vault.many("DELETE FROM edition WHERE number = ?", ((number,) for number in over))

    def wanted(self, listed: Iterable[Listed]) -> list[Listed]:
        """Those that are to be read, in order."""
        query = "SELECT number FROM edition WHERE NOT read"
        wanted = {number for (number,) in self._rows(query)}
        return [each for each in listed if each.number in wanted]

    def begin(self, number: int) -> None:
        """It is read from its beginning: what an earlier try saw in it, which was not whole, counts for nothing."""
        with self._vault.transaction():
            self._rows("UPDATE taken SET found = 0 WHERE edition = ?", number)
            self._rows("UPDATE posted SET found = NULL WHERE found = ?", number)

    def was_read(self, number: int) -> None:
        """Every envelope of it was looked at, and its hash is the listed one."""
        with self._vault.transaction():
            self._rows("UPDATE edition SET read = 1 WHERE number = ?", number)
            self._rows("DELETE FROM taken WHERE edition = ? AND found", number)
            self._rows("DELETE FROM posted WHERE found = ?", number)

    def newest(self) -> int | None:
        """The newest edition that was listed, None before the first."""
        found: int | None = self._rows("SELECT max(number) FROM edition")[0][0]
        return found

    def through(self, epoch: int) -> bool:
        """Whether every edition was read that can hold an envelope of this epoch (spec 7.5, 10.7).

        That is when a later one was listed, and none of these waits to be read: editions are listed in their order.
        """
        last, newest = QUARTERS * (epoch + 2) - 1, self.newest()
        query = "SELECT 1 FROM edition WHERE NOT read AND number >= ? AND number <= ?"
        return newest is not None and newest >= last and not self._rows(query, QUARTERS * epoch, last)
