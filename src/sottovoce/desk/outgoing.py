"""What a desk is about to post: texts that wait, sealed parts, and what must then appear in an edition.

An answer goes from `queued` (texts, still to be joined) to `message` and `sealed` (bytes, retried unchanged). A part
leaves `sealed` when the pool has it, and stays in `posted` until an edition shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sottovoce.protocol.answer import Place
from sottovoce.protocol.envelope import TO_SOURCE
from sottovoce.protocol.sizes import QUARTERS

from .vault import Vault

_FIRST_TO_POST = "ORDER BY message, part DESC"  # part 0 last: who finds it finds the others


@dataclass(frozen=True)
class Sealed:
    """One sealed part, or a dummy (its conversation and message are empty), not yet known to be in the pool."""

    tag: bytes
    conversation: bytes
    message_id: bytes
    epoch: int
    part: int
    parts: int
    envelope: bytes = field(repr=False)

    @property
    def is_dummy(self) -> bool:
        """Whether nobody waits for it."""
        return not self.conversation


class Outgoing:
    """The posts of one vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault, self._rows = vault, vault.rows

    def queue(self, conversation: bytes, text: str) -> None:
        """Adds a text to what waits."""
        self._rows("INSERT INTO queued (conversation, text) VALUES (?, ?)", conversation, text)

    def queued(self, conversation: bytes) -> list[str]:
        """The texts that wait, the oldest first."""
        query = "SELECT text FROM queued WHERE conversation = ? ORDER BY place"
        return [text for (text,) in self._rows(query, conversation)]

    def queues(self) -> list[bytes]:
        """The conversations in which texts wait."""
        return [found for (found,) in self._rows("SELECT DISTINCT conversation FROM queued ORDER BY conversation")]

    def sealed(self) -> list[Sealed]:
        """What is sealed, a dummy first: what was posted before and is perhaps there goes before what was not."""
        query = f"SELECT tag, conversation, message, epoch, part, parts, envelope FROM sealed {_FIRST_TO_POST}"  # noqa: S608  # ours
        return [Sealed(*row) for row in self._rows(query)]

    def waiting(self) -> int:
        """How many sealed answers are not wholly in the pool."""
        query = "SELECT count(DISTINCT message) FROM sealed WHERE conversation != x''"
        return int(self._rows(query)[0][0])

    def is_used(self, conversation: bytes, edition: int) -> bool:
        """Whether an answer was sealed for this edition: there is one place only."""
        query = "SELECT 1 FROM used WHERE conversation = ? AND edition = ?"
        return bool(self._rows(query, conversation, edition))

    def has_begun(self, sealed: Sealed) -> bool:
        """Whether a part of the same answer is in the pool already."""
        query = "SELECT count(*) FROM sealed WHERE message = ? AND conversation = ?"
        return int(self._rows(query, sealed.message_id, sealed.conversation)[0][0]) < sealed.parts

    def keep_dummy(self, dummy: Sealed, instead: Sealed | None = None) -> None:
        """Keeps a dummy like an answer: it is retried like one, so that retries tell nothing."""
        with self._vault.transaction():
            if instead is not None:
                self._rows("DELETE FROM sealed WHERE tag = ?", instead.tag)
            self._keep([dummy])

    def keep_sealed(self, parts: Sequence[Sealed], place: Place, roster: bytes, text: str, texts: int) -> None:
        """Turns the oldest `texts` queued texts, joined as `text`, into a sealed answer, before it is posted."""
        one = parts[0]
        with self._vault.transaction():
            oldest = "SELECT place FROM queued WHERE conversation = ? ORDER BY place LIMIT ?"
            self._rows(f"DELETE FROM queued WHERE place IN ({oldest})", one.conversation, texts)  # noqa: S608  # ours
            values = (one.conversation, TO_SOURCE, one.message_id, place.epoch, _edition(place), place.slot, roster)
            columns = "conversation, direction, id, epoch, edition, slot, roster, parts, text, read"
            query = f"INSERT INTO message ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"  # noqa: S608  # ours
            self._rows(query, *values, one.parts, text)
            self._use(one.conversation, place)
            self._keep(parts)

    def replace_sealed(self, parts: Sequence[Sealed], place: Place) -> None:
        """The same answer sealed for another place, all its parts."""
        one = parts[0]
        with self._vault.transaction():
            self._rows("DELETE FROM sealed WHERE message = ? AND conversation = ?", one.message_id, one.conversation)
            self._rows(
                "UPDATE message SET epoch = ?, edition = ?, slot = ? WHERE (conversation, direction, id) = (?, ?, ?)",
                *(place.epoch, _edition(place), place.slot, one.conversation, TO_SOURCE, one.message_id),
            )
            self._use(one.conversation, place)
            self._keep(parts)

    def _use(self, conversation: bytes, place: Place) -> None:
        self._rows("INSERT INTO used VALUES (?, ?)", conversation, _edition(place))

    def _keep(self, parts: Sequence[Sealed]) -> None:
        rows = ((p.tag, p.conversation, p.message_id, p.epoch, p.part, p.parts, p.envelope) for p in parts)
        self._vault.many("INSERT INTO sealed VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def text_of(self, sealed: Sealed) -> str:
        """What a sealed answer says."""
        query = "SELECT text FROM message WHERE conversation = ? AND direction = ? AND id = ?"
        return str(self._rows(query, sealed.conversation, TO_SOURCE, sealed.message_id)[0][0])

    def stored(self, sealed: Sealed, edition: int) -> bool:
        """The pool has it, in `edition` at the latest; True when an answer is whole there with it."""
        with self._vault.transaction():
            self._expect(sealed.tag, edition, sha256(sealed.envelope).digest(), None)
            return self._done(sealed.tag, sealed.conversation, sealed.message_id)

    def _expect(self, tag: bytes, edition: int, digest: bytes, found: int | None) -> None:
        self._rows("INSERT OR REPLACE INTO posted VALUES (?, ?, ?, ?)", tag, edition, digest, found)

    def appeared(self, hashes: Mapping[bytes, bytes], edition: int) -> int:
        """Envelopes (SHA-256 by tag) are in an edition that is being read: ours among them are where they should be.

        How many answers are whole so, of which a reply was lost.
        """
        ours = [tag for (tag,) in self._rows("SELECT tag FROM posted UNION SELECT tag FROM sealed") if tag in hashes]
        return sum(self._appeared(tag, hashes[tag], edition) for tag in ours)

    def _appeared(self, tag: bytes, digest: bytes, edition: int) -> bool:
        self._rows("UPDATE posted SET found = ? WHERE tag = ? AND hash = ?", edition, tag, digest)
        whole = False
        query = "SELECT conversation, message, envelope FROM sealed WHERE tag = ?"
        for conversation, message, envelope in self._rows(query, tag):
            if sha256(envelope).digest() == digest:
                self._expect(tag, edition, digest, edition)
                whole = self._done(tag, conversation, message)
        return whole

    def _done(self, tag: bytes, conversation: bytes, message: bytes) -> bool:
        self._rows("DELETE FROM sealed WHERE tag = ?", tag)
        name = (conversation, TO_SOURCE, message)
        if self._rows("SELECT 1 FROM sealed WHERE conversation = ? AND message = ?", conversation, message):
            return False
        query = "UPDATE message SET sent = 1 WHERE (conversation, direction, id) = (?, ?, ?) RETURNING 1"
        return bool(self._rows(query, *name))

    def vanished(self, begin: int, end: int) -> int:
        """How many own posts should have appeared in the editions from `begin` to before `end`; each is told once."""
        return len(self._rows("DELETE FROM posted WHERE edition >= ? AND edition < ? RETURNING 1", begin, end))

    def queue_again(self, sealed: Sealed) -> None:
        """Puts a sealed answer back before what waits; its place stays used."""
        text = self.text_of(sealed)
        name = (sealed.conversation, TO_SOURCE, sealed.message_id)
        with self._vault.transaction():
            self._rows("DELETE FROM sealed WHERE message = ? AND conversation = ?", sealed.message_id, name[0])
            self._rows("DELETE FROM message WHERE (conversation, direction, id) = (?, ?, ?)", *name)
            first = "(SELECT min(0, coalesce(min(place), 0)) - 1 FROM queued)"
            self._rows(f"INSERT INTO queued VALUES ({first}, ?, ?)", sealed.conversation, text)  # noqa: S608  # ours

    def drop(self, sealed: Sealed) -> None:
        """A dummy whose place is taken."""
        self._rows("DELETE FROM sealed WHERE tag = ?", sealed.tag)

    def offer_again(self, conversation: bytes, offered: Sequence[tuple[int, str]]) -> None:
        """Queues answers anew that nobody is known to have seen; each is offered once."""
        with self._vault.transaction():
            for place, text in offered:
                self._rows("UPDATE message SET again = 1 WHERE place = ?", place)
                self.queue(conversation, text)


def _edition(place: Place) -> int:
    return QUARTERS * place.epoch + place.n
