"""Answers on their way: sealed once, kept, posted, and posted again unchanged until the pool has them."""

from __future__ import annotations

from collections.abc import Callable

from sottovoce.pool.errors import PutResult
from sottovoce.protocol.body import Body, text_room
from sottovoce.protocol.envelope import SOURCE_ROOM
from sottovoce.protocol.keys import member_pair
from sottovoce.protocol.message import Place, seal_to_source
from sottovoce.protocol.sizes import QUARTERS, TAG, edition_of, epoch_of

from .letters import Letters, Sealed
from .road import Road, SyncReport, Waits
from .trusted import Trusted

ROOM = text_room(SOURCE_ROOM)
_BLANK_LINE = "\n\n"


class Outbox:
    """What one sync posts, at the time `now`."""

    def __init__(self, letters: Letters, trusted: Trusted, random: Callable[[int], bytes], now: float) -> None:
        self._letters, self._trusted, self._random = letters, trusted, random
        self._today, self._edition = epoch_of(now), edition_of(now)

    def flush(self, road: Road, report: SyncReport) -> bool:
        """Posts what is sealed, then what is queued; stops when the pool is full. RoadError leaves all as it was."""
        roster = self._trusted.roster
        slot = self._trusted.slot(roster)
        if slot is None:
            return False
        for sealed in self._letters.sealed():
            if not self._post(sealed, slot, road, report):
                return False
        for conversation in self._letters.queues():
            if self._letters.is_used(conversation, self._edition):
                continue
            if not self._post(self._seal_queued(conversation, slot, roster.hash), slot, road, report):
                return False
        return True

    def tell(self, report: SyncReport) -> None:
        """Notes what still waits, and until when."""
        hour = next_hour(self._edition)
        for conversation in self._letters.queues():
            report.waiting += len(self._letters.queued(conversation))
            if self._letters.is_used(conversation, self._edition):
                report.waits.append(Waits(conversation, hour))
        report.waiting += len(self._letters.sealed())

    def _seal_queued(self, conversation: bytes, slot: int, roster: bytes) -> Sealed:
        text, texts = joined(self._letters.queued(conversation))
        place = Place(self._today, slot, self._edition % QUARTERS)
        sealed = self._seal(conversation, place, text, self._random(TAG))
        self._letters.keep_sealed(sealed, place, roster, text, texts)
        return sealed

    def _seal(self, conversation: bytes, place: Place, text: str, message_id: bytes) -> Sealed:
        source, org = self._letters.source(conversation), self._trusted.org
        pair = member_pair(self._trusted.device, source.dh, source.c, org, place.slot)
        received, newest = self._letters.arrived(conversation)
        tag, envelope = seal_to_source(
            pair, source.kem, org, place, Body(text), message_id=message_id, received=received, newest=newest
        )
        return Sealed(tag, conversation, message_id, place.epoch, envelope)

    def _post(self, sealed: Sealed, slot: int, road: Road, report: SyncReport) -> bool:
        result = road.put(sealed.epoch, sealed.tag, sealed.envelope)
        if result is PutResult.WRONG_EPOCH:
            again = self._seal_again(sealed, slot)
            if again is None:
                report.warn("There is no room for an answer in the server's day: it waits for the next sync.")
                return True
            sealed, result = again, road.put(again.epoch, again.tag, again.envelope)
        return self._done(sealed, result, report)

    def _done(self, sealed: Sealed, result: PutResult, report: SyncReport) -> bool:
        """Whether the next one may be posted."""
        if result in (PutResult.STORED, PutResult.KNOWN):
            self._letters.sent(sealed)
            report.sent += 1
        elif result is PutResult.TAKEN:
            self._letters.queue_again(sealed)
            report.alarms.append(
                "Something else lies in the place of an answer: the server or a copy of this vault put it there; "
                "ask the office, the answer is tried again in the next edition."
            )
        elif result is PutResult.WRONG_EPOCH:
            report.warn("This machine's clock and the server's differ by more than a day: set the clock right.")
        else:
            report.warn("The pool is full: the answers wait here, sync again in some hours.")
        return result is not PutResult.FULL

    def _seal_again(self, old: Sealed, slot: int) -> Sealed | None:
        """The same message for the server's day: today if it was older, else the day before (the clock runs ahead)."""
        epoch = self._today if old.epoch < self._today else self._today - 1
        now = self._edition % QUARTERS
        quarters = sorted(range(QUARTERS), key=lambda n: (n - now) % QUARTERS)
        used = self._letters.is_used
        free = [n for n in quarters if not used(old.conversation, QUARTERS * epoch + n)]
        if not free:
            return None
        place = Place(epoch, slot, free[0])
        new = self._seal(old.conversation, place, self._letters.text_of(old), old.message_id)
        self._letters.replace_sealed(old, new, place)
        return new


def next_hour(edition: int) -> int:
    """The hour (UTC) at which the edition after this one begins."""
    return (edition + 1) % QUARTERS * 24 // QUARTERS


def joined(texts: list[str]) -> tuple[str, int]:
    """The oldest texts that fit into one answer together, and how many they are; one always fits."""
    text, count = texts[0], 1
    for further in texts[1:]:
        if len((longer := text + _BLANK_LINE + further).encode()) > ROOM:
            break
        text, count = longer, count + 1
    return text, count
