"""Posts on their way: sealed once, kept, posted, and posted again unchanged until the pool has them (spec 7.3, 9.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sottovoce.pool.edition import next_hour
from sottovoce.pool.errors import PutResult, Reply
from sottovoce.protocol.answer import Place, seal_to_source
from sottovoce.protocol.body import Body, text_room
from sottovoce.protocol.dummy import make_dummy
from sottovoce.protocol.envelope import LATER_ROOM, PARTS, SOURCE_ROOM
from sottovoce.protocol.keys import member_pair
from sottovoce.protocol.sizes import EPOCH_SECONDS, QUARTERS, TAG, edition_of, epoch_of

from .letters import Letters
from .outgoing import Outgoing, Sealed
from .road import Road, SyncReport, Waits
from .trusted import Trusted

ROOM = text_room(SOURCE_ROOM + (PARTS - 1) * LATER_ROOM)  # bytes of UTF-8 in one answer (spec 6.4)
STALE = 5  # days after which an answer, of which a part is posted already, is sealed anew all the same
_BLANK_LINE = "\n\n"


class Outbox:
    """What a desk posts at the time `now`."""

    def __init__(
        self, letters: Letters, outgoing: Outgoing, trusted: Trusted, random: Callable[[int], bytes], now: float
    ) -> None:
        self._letters, self._outgoing, self._trusted, self._random = letters, outgoing, trusted, random
        self._today, self._edition = epoch_of(now), edition_of(now)
        roster = trusted.roster
        self._slot, self._roster = trusted.slot(roster), roster.hash

    def flush(self, road: Road, report: SyncReport) -> bool:
        """Posts all that waits at once; False when the pool is full. RoadError leaves all as it was."""
        stuck: set[bytes] = set()
        while (sealed := self._next(stuck)) is not None:
            result = self._post(sealed, road, report)
            if result is PutResult.FULL:
                return False
            if result is not PutResult.STORED:
                stuck.add(sealed.message_id)
        return True

    def post_one(self, road: Road, report: SyncReport) -> None:
        """Posts one envelope: the next part of what waits, else a dummy. RoadError leaves it for the next time.

        What was tried and is perhaps there comes first, dummies too: so a repeated post tells nothing either.
        """
        stuck: set[bytes] = set()
        while self._slot is not None:
            sealed = self._next(stuck) or self._dummy(self._today)
            if self._post(sealed, road, report) is not None:
                return
            stuck.add(sealed.message_id)  # there is no place for it today: something else goes instead

    def tell(self, report: SyncReport) -> None:
        """Notes what still waits, and until when."""
        for conversation in self._outgoing.queues():
            report.waiting += len(self._outgoing.queued(conversation))
            if self._outgoing.is_used(conversation, self._edition):
                report.waits.append(Waits(conversation, next_hour(self._edition)))
        report.waiting += self._outgoing.waiting()

    def _next(self, stuck: set[bytes]) -> Sealed | None:
        """What is sealed, and when that is gone, what can be sealed for this edition."""
        if self._slot is None:
            return None
        for sealed in self._outgoing.sealed():
            if sealed.message_id not in stuck:
                return sealed
        for conversation in self._outgoing.queues():
            if not self._outgoing.is_used(conversation, self._edition):
                return self._seal_queued(conversation, self._slot)
        return None

    def _seal_queued(self, conversation: bytes, slot: int) -> Sealed:
        text, texts = joined(self._outgoing.queued(conversation))
        place = Place(self._today, slot, self._edition % QUARTERS)
        parts = self._seal(conversation, place, text, self._random(TAG))
        self._outgoing.keep_sealed(parts, place, self._roster, text, texts)
        return parts[-1]

    def _seal(self, conversation: bytes, place: Place, text: str, message_id: bytes) -> list[Sealed]:
        source, org = self._letters.source(conversation), self._trusted.org
        pair = member_pair(self._trusted.device, source.dh, source.c, org, place.slot)
        received, newest = self._letters.arrived(conversation)
        sealed = seal_to_source(
            pair, source.kem, org, place, Body(text), message_id=message_id, received=received, newest=newest
        )
        return [
            Sealed(tag, conversation, message_id, place.epoch, part, len(sealed), envelope)
            for part, (tag, envelope) in enumerate(sealed)
        ]

    def _dummy(self, epoch: int, instead: Sealed | None = None) -> Sealed:
        tag, envelope = make_dummy(self._random, self._trusted.org, epoch)
        dummy = Sealed(tag, b"", b"", epoch, 0, 1, envelope)
        self._outgoing.keep_dummy(dummy, instead)
        return dummy

    def _post(self, sealed: Sealed, road: Road, report: SyncReport) -> PutResult | None:
        """How the post ended; STORED also for what was there already, None when nothing could be posted."""
        ready = self._fit(sealed, self._today)
        if ready is None:
            report.warn("There is no room for an answer in the server's day: it waits for the next sync.")
            return None
        reply = road.put(self._today, ready.tag, ready.envelope)
        if reply.result is PutResult.WRONG_EPOCH and abs(reply.epoch - self._today) == 1:
            self._today = reply.epoch  # for what follows too
            again = self._fit(ready, reply.epoch, only=reply.epoch)
            if again is None:
                report.warn("There is no room for an answer in the server's day: it waits for the next sync.")
                return None
            ready = again
            reply = road.put(reply.epoch, ready.tag, ready.envelope)
        return self._done(ready, reply, report)

    def _fit(self, sealed: Sealed, epoch: int, only: int | None = None) -> Sealed | None:
        """The same for `epoch`, sealed again when its own day is another (spec 9.1); None when no place is free.

        The pool forgets the epoch that it is told, and a source looks 30 days back. So an answer of which a part is
        posted keeps its bytes: a long one in a large team goes out over days.
        """
        if sealed.epoch == epoch or (only is None and sealed.epoch == epoch - 1):
            return sealed
        if sealed.is_dummy:
            return self._dummy(epoch, sealed)
        if self._outgoing.has_begun(sealed) and epoch - STALE <= sealed.epoch <= epoch + 1:
            return sealed
        return self._seal_again(sealed, epoch)

    def _seal_again(self, old: Sealed, epoch: int) -> Sealed | None:
        now, used = self._edition % QUARTERS, self._outgoing.is_used
        quarters = sorted(range(QUARTERS), key=lambda n: (n - now) % QUARTERS)
        free = [n for n in quarters if not used(old.conversation, QUARTERS * epoch + n)]
        if not free or self._slot is None:
            return None
        place = Place(epoch, self._slot, free[0])
        parts = self._seal(old.conversation, place, self._outgoing.text_of(old), old.message_id)
        self._outgoing.replace_sealed(parts, place)
        return parts[-1]

    def _done(self, sealed: Sealed, reply: Reply, report: SyncReport) -> PutResult:
        if reply.result in (PutResult.STORED, PutResult.KNOWN):
            report.sent += self._outgoing.stored(sealed, edition_in(reply))
            return PutResult.STORED
        if reply.result is PutResult.TAKEN:
            self._give_way(sealed)
            report.alarm(
                "Something else lies in the place of an answer: the server or a copy of this vault put it there; "
                "ask the office, the answer is tried again in the next edition."
            )
        elif reply.result is PutResult.WRONG_EPOCH:
            day = datetime.fromtimestamp(reply.epoch * EPOCH_SECONDS, UTC).date().isoformat()
            report.warn(
                f"This machine's clock and the server's differ by more than a day (the server says {day}): "
                "set the clock right, or ask who runs the server."
            )
        else:
            report.warn(f"The pool is full: what waits is kept here; it takes more from {reply.hour:02}:00 UTC on.")
        return reply.result

    def _give_way(self, sealed: Sealed) -> None:
        if sealed.is_dummy:
            self._outgoing.drop(sealed)
        else:
            self._outgoing.queue_again(sealed)


def edition_in(reply: Reply) -> int:
    """The edition into which the server put it, from its day and the hour at which the next edition begins."""
    return QUARTERS * reply.epoch + (reply.hour * QUARTERS // 24 - 1) % QUARTERS


def joined(texts: list[str]) -> tuple[str, int]:
    """The oldest texts that fit into one answer together, and how many they are; one always fits."""
    text, count = texts[0], 1
    for further in texts[1:]:
        if len((longer := text + _BLANK_LINE + further).encode()) > ROOM:
            break
        text, count = longer, count + 1
    return text, count
