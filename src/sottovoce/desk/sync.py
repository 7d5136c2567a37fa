"""A member's desk: one sync with the pool, and what a member does with the vault in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.message import Message, UntrustedMessage, open_at_desk
from sottovoce.protocol.sizes import ANSWER_EPOCHS, QUARTERS, TAG, edition_of, epoch_of
from sottovoce.trust.roster import Roster

from .errors import DeskError
from .letters import Conversation, Entry, Letters
from .outbox import ROOM, Outbox, next_hour
from .road import FETCH_MOST, Road, SyncReport
from .trusted import Trusted
from .vault import Vault

WARN_DAYS = 3  # of duty keys; renewal begins at four, so by then something went wrong
WARN_ROSTER_DAYS = 21  # the office meets seldom


@dataclass(frozen=True)
class Status:
    """How the desk stands; `warnings` are sentences, `last_sync` an epoch or None."""

    slot: int | None
    duty_days: int
    roster_days: int
    unread: int
    waiting: int
    last_sync: int | None
    warnings: tuple[str, ...]


class Desk:
    """One member's desk over an open vault; `now` gives Unix seconds, `random` so many random bytes."""

    def __init__(self, vault: Vault, now: Callable[[], float], random: Callable[[int], bytes]) -> None:
        self._vault, self._now, self._random = vault, now, random
        self._letters = Letters(vault)
        self._trusted = Trusted(vault)

    def sync(self, road: Road) -> SyncReport:
        """Fetches, opens, renews, posts. The road's faults are in the report; DeskError before the office answered."""
        report, now = SyncReport(), self._now()
        today = epoch_of(now)
        _ = self._trusted.roster
        pending: list[tuple[int, bytes]] = []
        # The list first: no source can have used a newer roster than the one that is then taken.
        listed = report.attempt(lambda: pending.extend(road.pending()))
        if listed and report.attempt(lambda: self._trusted.refresh(road, today, report)):
            if report.attempt(lambda: self._collect(pending, road, report)):
                self._vault.keep_note("last sync", today)
            self._serve(road, now, report)
        self._outbox(now).tell(report)
        self._forget_tags(edition_of(now))
        report.warnings.extend(sentence for sentence in self.status().warnings if sentence not in report.warnings)
        return report

    def _serve(self, road: Road, now: float, report: SyncReport) -> None:
        """What only a device in the newest roster can do: renew the duty list, and answer."""
        if self._trusted.slot(self._trusted.roster) is not None:
            report.attempt(lambda: self._trusted.renew(road, epoch_of(now), self._random, report))
            report.attempt(lambda: self._outbox(now).flush(road, report))

    def _outbox(self, now: float) -> Outbox:
        return Outbox(self._letters, self._trusted, self._random, now)

    def _collect(self, pending: Iterable[tuple[int, bytes]], road: Road, report: SyncReport) -> None:
        """Fetches whatever is new, our own answers too: the server must not learn which are ours."""
        wanted = {tag: edition for edition, tag in pending if len(tag) == TAG and not self._is_taken(tag)}
        tags, rosters = sorted(wanted), {roster.hash: roster for roster in self._trusted.rosters}
        for start in range(0, len(tags), FETCH_MOST):
            batch = tags[start : start + FETCH_MOST]
            envelopes = road.fetch(batch)
            with self._vault.transaction():  # tags and messages together: after a crash the batch comes again
                for tag, envelope in zip(batch, envelopes, strict=True):
                    self._take(tag, wanted[tag], envelope, rosters, report)

    def _is_taken(self, tag: bytes) -> bool:
        return bool(self._vault.rows("SELECT 1 FROM taken WHERE tag = ?", tag))

    def _take(
        self, tag: bytes, edition: int, envelope: bytes, rosters: dict[bytes, Roster], report: SyncReport
    ) -> None:
        """Opens one envelope, and keeps its tag and what it held; hostile ones are counted."""
        report.fetched += 1
        opened = self._open(tag, edition, envelope, rosters, report)
        self._vault.rows("INSERT OR REPLACE INTO taken VALUES (?, ?)", tag, edition)
        if opened is not None:
            fresh = self._letters.keep(*opened, edition)
            report.messages += fresh
            report.replayed += not fresh

    def _open(
        self, tag: bytes, edition: int, envelope: bytes, rosters: dict[bytes, Roster], report: SyncReport
    ) -> tuple[Message, int] | None:
        """The verified message and the epoch in which it was sealed (spec 7.2)."""
        try:
            found = self._unseal(tag, edition // QUARTERS, envelope)
            if found is None:
                report.others += 1
                return None
            message, epoch = found
            roster = rosters.get(message.roster_hash)
            slot = self._trusted.slot(roster) if roster else None
            if slot is None:
                report.elsewhere += 1
                return None
            return message.verify(self._trusted.device, slot), epoch
        except Refused as error:
            report.refused[error.layer] += 1
            return None

    def _unseal(self, tag: bytes, epoch: int, envelope: bytes) -> tuple[UntrustedMessage, int] | None:
        """Tries the duty keys of the edition's day and of the day before (spec 9.2)."""
        for day, seed in self._vault.duty_seeds((epoch, epoch - 1)).items():
            try:
                return open_at_desk(envelope, KemKey(seed), self._trusted.org, day, tag), day
            except Refused as error:
                if error.layer != "seal":
                    raise
        return None

    def _forget_tags(self, edition: int) -> None:
        """A replay of what is forgotten here is still known by its message id."""
        self._vault.rows("DELETE FROM taken WHERE edition < ?", edition - QUARTERS * (ANSWER_EPOCHS + 2))

    def conversations(self) -> list[Conversation]:
        """All conversations, the one with the newest message last."""
        return self._letters.all()

    def find(self, name: str) -> bytes:
        """A conversation's id from its sign ("two words") or the beginning of its id in hex; DeskError."""
        return self._letters.find(name)

    def read(self, name: str) -> list[Entry]:
        """The messages of a conversation, which count as read from now on; DeskError."""
        return self._letters.read(self.find(name))

    def answer(self, name: str, text: str) -> int | None:
        """Queues an answer; the hour (UTC) until which it must wait, None if the next sync takes it. DeskError."""
        conversation, size = self.find(name), _size(text)
        if not text.strip():
            raise DeskError("The answer is empty: write something.")
        if size > ROOM:
            raise DeskError(f"The answer is {size - ROOM} bytes too long for one envelope: shorten it, or send two.")
        self._letters.queue(conversation, text)
        edition = edition_of(self._now())
        return next_hour(edition) if self._letters.is_used(conversation, edition) else None

    def status(self) -> Status:
        """How long keys and roster last, and what waits; DeskError before the office answered."""
        today, roster = epoch_of(self._now()), self._trusted.roster
        slot, conversations = self._trusted.slot(roster), self._letters.all()
        duty, roster_days = self._trusted.duty_days(today), roster.claim.expires - today + 1
        unread = sum(each.unread for each in conversations)
        waiting = sum(each.waiting for each in conversations)
        warnings = tuple(_warnings(slot, duty, roster_days))
        return Status(slot, duty, max(0, roster_days), unread, waiting, self._vault.note("last sync"), warnings)


def _size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise DeskError("The answer is not proper text: save it as UTF-8 and try again.") from None


def _warnings(slot: int | None, duty_days: int, roster_days: int) -> Iterable[str]:
    if slot is None:
        yield "This device is not, or no longer, in the roster: ask the office why, and to admit it."
    elif duty_days <= WARN_DAYS:
        yield f"Duty keys are left for {duty_days} days, then nobody can write: sync, and see why none are added."
    if roster_days <= 0:
        yield "The roster is over and nobody can write: the office must sign a new one today."
    elif roster_days <= WARN_ROSTER_DAYS:
        yield f"The roster ends in {roster_days} days: ask the office to sign a new one."
