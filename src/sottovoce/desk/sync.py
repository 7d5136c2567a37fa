"""A member's desk: one sync with the server, and what a member does with the vault in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sottovoce.pool.edition import Listed, next_hour
from sottovoce.protocol.sizes import edition_of, epoch_of
from sottovoce.trust.notice import Kind

from .collect import Collector
from .compare import Compare, CompareReport, sample
from .editions import Editions
from .errors import DeskError
from .intake import Intake
from .letters import Conversation, Entry, Letters
from .notices import DeskNotices
from .outbox import ROOM, Outbox
from .outgoing import Outgoing
from .parts import Origin, Parts
from .road import Report, Road, SyncReport
from .status import Status, status_of
from .team import Team
from .trusted import Trusted
from .vault import Vault


class Desk:
    """One member's desk over an open vault; `now` gives Unix seconds, `random` so many random bytes."""

    def __init__(self, vault: Vault, now: Callable[[], float], random: Callable[[int], bytes]) -> None:
        self._vault, self._now, self._random = vault, now, random
        self._trusted = Trusted(vault)
        self.editions, self._parts, self._outgoing = Editions(vault), Parts(vault), Outgoing(vault)
        self._letters = Letters(vault, self._parts, self.editions.through)
        self._report = SyncReport()  # of the sync that is under way
        self.team = Team(vault, self._trusted, now, random, self.receive_forwarded)

    def sync(self, road: Road, *, post: bool = True) -> SyncReport:
        """Compares, fetches, opens, renews; and posts, unless a run posts at times of its own.

        The road's faults are in the report; DeskError before the office answered.
        """
        self._report, now = SyncReport(), self._now()
        report, _ = self._report, self._trusted.roster
        pending: list[tuple[int, bytes]] = []
        listed: list[Listed] = []
        # The lists first: no source can have used a newer roster than the one that is then taken. And what is pending
        # before the editions: what closes in between is then in one that is listed.
        known = report.attempt(lambda: pending.extend(road.pending()))
        known = known and report.attempt(lambda: listed.extend(road.editions()))
        if known and report.attempt(lambda: self._trusted.refresh(road, epoch_of(now), report)):
            self.notices.sync(road, report)  # first: a warning to sources shall wait for nothing
            report.attempt(lambda: self.team.receive(road, report))
            self._collect(road, pending, self._compare(now).listing(listed, report), now, report)
            self._serve(road, now, report, post)
            self._compare(now).signed_at(road, report)  # what sources are shown from now on
        self._finish(now, report)
        return report

    def _compare(self, now: float) -> Compare:
        return Compare(self._vault, self._trusted, self.editions, now)

    @property
    def notices(self) -> DeskNotices:
        """The notices to sources as this vault knows them."""
        return DeskNotices(self._vault, self._trusted, epoch_of(self._now()))

    def _collect(
        self,
        road: Road,
        pending: Sequence[tuple[int, bytes]],
        listed: Sequence[Listed],
        now: float,
        report: SyncReport,
    ) -> None:
        intake = self._intake()
        collector = Collector(self._vault, self.editions, intake, self._outgoing, self._parts, report)
        collector.expect(pending, now)
        read = report.attempt(lambda: collector.read_editions(road, listed))
        fetched = report.attempt(lambda: collector.read_pending(road, pending))
        if read:
            collector.miss(listed, epoch_of(now))
        if read and fetched:
            self._vault.keep_note("last sync", epoch_of(now))
        report.attempt(lambda: self.team.destroy(road, report, listed))

    def _intake(self) -> Intake:
        return Intake(self._vault, self._trusted, self._letters, self._parts)

    def _serve(self, road: Road, now: float, report: SyncReport, post: bool) -> None:
        """What only a device in the newest roster can do: serve its colleagues, and answer."""
        if self._trusted.slot(self._trusted.roster) is not None:
            report.attempt(lambda: self.team.serve(road, report))
            if post:
                report.attempt(lambda: self._outbox(now).flush(road, report))

    def _finish(self, now: float, report: SyncReport) -> None:
        self._outbox(now).tell(report)
        with self._vault.transaction():
            self._parts.settle()
            self._keep_alarms(report)
        for sentence in self.status().warnings:
            report.warn(sentence)

    def _outbox(self, now: float) -> Outbox:
        return Outbox(self._letters, self._outgoing, self._trusted, self._random, now)

    def post_one(self, road: Road) -> SyncReport:
        """Posts one envelope: the next part of what waits, else a dummy; the road's faults are in the report."""
        report = SyncReport()
        report.attempt(lambda: self._outbox(self._now()).post_one(road, report))
        self._keep_alarms(report)
        return report

    def announce(self, road: Road, kind: Kind, day: int | None) -> tuple[bool, Report]:
        """Signs a notice to sources, or with None its withdrawal, hands it in, and looks whether the door shows it.

        Whether the server took it; what it did not take waits for the next sync, unless a colleague was first.
        DeskError when there can be no such notice.
        """
        report, now = Report(), self._now()
        notices = self.notices
        report.attempt(lambda: self._trusted.refresh(road, epoch_of(now), report))
        report.attempt(lambda: notices.take(kind, road, report) is not None)
        signed = notices.sign(kind, day)
        report.attempt(lambda: notices.exchange(kind, road, report))
        report.attempt(lambda: self._compare(now).notice(kind, road, report))
        self._keep_alarms(report)
        held = notices.held(kind)
        return held is not None and held.hash == signed.hash, report

    def _keep_alarms(self, report: Report) -> None:
        for sentence in report.alarms:
            self._vault.keep_alarm(sentence, epoch_of(self._now()))

    def compare(self, road: Road, *, full: bool = False) -> CompareReport:
        """Holds what the door shows against what is held here; `full` reads all editions again, else some of them."""
        report, now = CompareReport(), self._now()
        compare, pending = self._compare(now), list[tuple[int, bytes]]()
        report.attempt(lambda: pending.extend(road.pending()))
        report.things = compare.signed_at(road, report, thorough=True)
        report.attempt(lambda: self._compare_editions(road, compare, pending, full, report))
        self._keep_alarms(report)
        return report

    def _compare_editions(
        self, road: Road, compare: Compare, pending: Sequence[tuple[int, bytes]], full: bool, report: CompareReport
    ) -> None:
        listed = compare.listing(road.editions(), report)
        chosen = listed if full else sample(listed, pending, self._random)
        compare.bytes(road, chosen, pending, report)

    def receive_forwarded(self, plaintext: bytes, epoch: int, tag: bytes, edition: int, sender_slot: int) -> bool:
        """Takes in an exact plaintext that the colleague in a slot forwards (spec 10.5); whether it is new.

        Its MAC is checked; where this device is not in the message's roster, it is kept as vouched for by that slot.
        """
        return self._intake().forwarded(plaintext, Origin(tag, epoch, edition), sender_slot, self._report)

    def conversations(self) -> list[Conversation]:
        """All conversations, the one with the newest message last."""
        return self._letters.all(epoch_of(self._now()))

    def find(self, name: str) -> bytes:
        """A conversation's id from its sign ("two words") or the beginning of its id in hex; DeskError."""
        return self._letters.find(name)

    def read(self, name: str) -> list[Entry]:
        """The messages of a conversation, which count as read from now on, and what waits; DeskError."""
        conversation = self.find(name)
        waiting = [Entry(False, text, None, "waiting") for text in self._outgoing.queued(conversation)]
        return self._letters.read(conversation) + waiting

    def answer(self, name: str, text: str) -> int | None:
        """Queues an answer; the hour (UTC) until which it must wait, None if the next sync takes it. DeskError."""
        conversation, size = self.find(name), _size(text)
        if not text.strip():
            raise DeskError("The answer is empty: write something.")
        if size > ROOM:
            raise DeskError(f"The answer is {size - ROOM} bytes too long for one message: shorten it, or send two.")
        self._outgoing.queue(conversation, text)
        return self._waits(conversation)

    def again(self, name: str) -> tuple[int, int | None]:
        """Queues the answers anew that nobody is known to have seen for 25 days: how many, and as `answer` does."""
        conversation = self.find(name)
        offered = self._letters.offered(conversation, epoch_of(self._now()))
        if not offered:
            raise DeskError("No answer here is unseen for 25 days: there is nothing to send again.")
        self._outgoing.offer_again(conversation, offered)
        return len(offered), self._waits(conversation)

    def _waits(self, conversation: bytes) -> int | None:
        edition = edition_of(self._now())
        return next_hour(edition) if self._outgoing.is_used(conversation, edition) else None

    def status(self) -> Status:
        """How long keys and roster last, and what waits; DeskError before the office answered."""
        today = epoch_of(self._now())
        return status_of(self._vault, self._trusted, self.team, self.notices, self.conversations(), today)


def _size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise DeskError("The answer is not proper text: save it as UTF-8 and try again.") from None
