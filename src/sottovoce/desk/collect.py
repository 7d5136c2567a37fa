"""Fetching: editions from the door, each once and whole, and what is pending from the members' onion (spec 9.2, 9.6).

Everything is looked at, also what is nobody's: the server must not learn what matters. A batch is one transaction, so
that a crash at any point loses nothing and opens nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice

from sottovoce.pool.edition import Listed, read_stream
from sottovoce.pool.errors import RoadError
from sottovoce.protocol.sizes import ANSWER_EPOCHS, QUARTERS, TAG, edition_of

from .editions import WHAT_TO_DO, Editions, name_of
from .intake import DutyKeys, Intake, duty_keys
from .outgoing import Outgoing
from .parts import Parts
from .road import FETCH_MOST, Report, Road, SyncReport
from .vault import Vault

Pair = tuple[bytes, bytes]


class Chunks:
    """An edition's chunks; remembers whether the road broke, which is nobody's lie."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self.broken = chunks, False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except RoadError:
            self.broken = True
            raise


def read_whole(road: Road, listed: Listed, report: Report, take: Callable[[Sequence[Pair]], None]) -> bool:
    """Reads an edition in batches as a stream; whether it was the listed one, else an alarm. RoadError."""
    chunks = Chunks(road.edition(listed.number))
    pairs = read_stream(chunks, listed)
    try:
        while batch := list(islice(pairs, FETCH_MOST)):
            take(batch)
    except RoadError:
        if chunks.broken:
            raise
        report.alarm(f"The edition of {name_of(listed.number)} has other bytes than the door lists. {WHAT_TO_DO}")
        return False
    return True


class Collector:
    """What one sync fetches."""

    def __init__(
        self, vault: Vault, editions: Editions, intake: Intake, outgoing: Outgoing, parts: Parts, report: SyncReport
    ) -> None:
        self._vault, self._rows, self._editions, self._intake = vault, vault.rows, editions, intake
        self._outgoing, self._parts, self._report = outgoing, parts, report

    def expect(self, pending: Iterable[tuple[int, bytes]], now: float) -> None:
        """Remembers what members are shown as pending: it must be in its edition when that closes."""
        most = edition_of(now) + QUARTERS  # clocks differ by a day at most
        rows = ((tag, edition) for edition, tag in pending if len(tag) == TAG and edition <= most)
        query = "INSERT INTO taken (tag, edition, pending) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET pending = 1"
        self._vault.many(query, rows)

    def read_editions(self, road: Road, listed: Sequence[Listed]) -> None:
        """Reads the editions that are to be read, in their order; each is stored when its hash was right."""
        for each in self._editions.wanted(listed):
            keys = self._keys(each.number)

            def take(batch: Sequence[Pair], number: int = each.number, keys: DutyKeys = keys) -> None:
                self._take(batch, number, keys, in_edition=True)

            self._editions.begin(each.number)
            if read_whole(road, each, self._report, take):
                self._editions.was_read(each.number)
                self._report.editions += 1

    def read_pending(self, road: Road, pending: Iterable[tuple[int, bytes]]) -> None:
        """Fetches what is pending and was not looked at, our own posts too."""
        listed = {tag for _, tag in pending}
        rows = self._rows("SELECT tag, edition FROM taken WHERE NOT opened AND NOT found ORDER BY edition, tag")
        wanted = iter([row for row in rows if row[0] in listed])
        while batch := list(islice(wanted, FETCH_MOST)):
            tags = [tag for tag, _ in batch]
            envelopes = dict(zip(tags, road.fetch(tags), strict=True))
            with self._vault.transaction():
                for edition in sorted({edition for _, edition in batch}):
                    pairs = [(tag, envelopes[tag]) for tag, each in batch if each == edition]
                    self._take(pairs, edition, self._keys(edition), in_edition=False)

    def _keys(self, edition: int) -> DutyKeys:
        """The keys of the edition's day, and of the day before (spec 9.2)."""
        return duty_keys(self._vault, (edition // QUARTERS, edition // QUARTERS - 1))

    def _take(self, batch: Sequence[Pair], edition: int, keys: DutyKeys, *, in_edition: bool) -> None:
        with self._vault.transaction():  # what was looked at and what it held together: after a crash it comes again
            for tag, envelope in self._new(batch, edition, in_edition):
                self._intake.envelope(tag, edition, envelope, keys, self._report)
            self._parts.prune()

    def _new(self, batch: Sequence[Pair], edition: int, in_edition: bool) -> list[Pair]:
        """Notes that envelopes were seen, of different tags; those of them that are still to be opened."""
        hashes = {tag: sha256(envelope).digest() for tag, envelope in batch}
        if in_edition:
            self._report.sent += self._outgoing.appeared(hashes, edition)
        query = "SELECT tag, hash, opened FROM taken WHERE tag >= ? AND tag <= ?"  # tags ascend: a batch is a range
        held = {tag: (digest, opened) for tag, digest, opened in self._rows(query, min(hashes), max(hashes))}
        # Where it is not what was pending under its tag, that one stays missing, and this one may be read.
        same = {tag: digest for tag, digest in hashes.items() if held.get(tag, (None, 0))[0] in (None, digest)}
        self._vault.many(
            "INSERT INTO taken (tag, edition, hash, found, opened) VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE"
            " SET hash = excluded.hash, found = max(found, excluded.found), opened = 1",
            ((tag, edition, digest, in_edition) for tag, digest in same.items()),
        )
        return [(tag, envelope) for tag, envelope in batch if held.get(tag) != (hashes[tag], 1)]

    def miss(self, listed: Sequence[Listed], today: int) -> None:
        """What should be in the editions that were read and is not: an alarm, once."""
        unread = self._editions.wanted(listed)
        limit = unread[0].number if unread else (self._editions.newest() or -1) + 1
        with self._vault.transaction():
            # Who was away for a month finds that editions died of age; a day before that, for clocks that differ.
            alive = QUARTERS * (today - ANSWER_EPOCHS + 1)
            query = "DELETE FROM taken WHERE edition >= ? AND edition < ? AND NOT found RETURNING pending"
            missing = sum(row[0] for row in self._rows(query, alive, limit))
            vanished = self._outgoing.vanished(alive, limit)
            if missing:
                self._alarm(f"{missing} envelopes that were pending are in no edition. {WHAT_TO_DO}", today)
            if vanished:
                self._alarm(f"{vanished} envelopes that this desk posted are in no edition. {WHAT_TO_DO}", today)
            old = QUARTERS * (today - ANSWER_EPOCHS - 2)
            self._rows("DELETE FROM taken WHERE edition < ?", old)
            self._rows("DELETE FROM posted WHERE edition < ?", old)

    def _alarm(self, sentence: str, today: int) -> None:
        self._report.alarm(sentence)
        self._vault.keep_alarm(sentence, today)
