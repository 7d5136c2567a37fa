"""Conversations in the vault: what came, who wrote it, and what was answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import TO_DESK, TO_SOURCE, DeskPart, decode, seen_bit, seen_bits
from sottovoce.protocol.keys import sign_of
from sottovoce.protocol.message import FirstPart
from sottovoce.protocol.sizes import ANSWER_EPOCHS, QUARTERS

from .errors import DeskError
from .order import Item, in_order
from .parts import Origin, Parts, beginning
from .vault import Vault

OFFER_AFTER = 25  # days without a sign that an answer was seen: five are left to post it anew without a gap
_STATES = ("waiting", "sent", "seen")
_OFFERED = f"direction = {TO_SOURCE} AND sent AND NOT seen AND NOT again AND epoch <= ?"


@dataclass(frozen=True)
class Conversation:
    """One source's conversation, as a list shows it; `newest` is an epoch.

    `offered` answers were sent long ago without a sign that they were seen: `again` would queue them anew.
    """

    id: bytes
    messages: int
    unread: int
    waiting: int
    newest: int
    offered: int

    @property
    def sign(self) -> tuple[str, str]:
        """The two words that the source sees too (spec 3.5)."""
        return sign_of(self.id)


@dataclass(frozen=True)
class Entry:
    """One message as it is read; `state` is "new" or "read" for one that came, else "waiting", "sent" or "seen".

    `edition` is when it arrived, or as which it was sealed; None for a text that is not sealed yet. While
    `have` < `parts` the text is only its beginning; `lost`: the missing parts can't come any more. `vouched` is the
    slot of a colleague on whose word alone it is here. `unordered`: its order within six hours is unknown. `language`:
    the tag of the language in which its source reads our pages, where it told (spec 6.6).
    """

    incoming: bool
    text: str = field(repr=False)
    edition: int | None
    state: str
    parts: int = 1
    have: int = 1
    lost: bool = False
    vouched: int | None = None
    unordered: bool = False
    language: str | None = None


@dataclass(frozen=True)
class Source:
    """A source's keys: what an answer needs."""

    id: bytes
    kem: bytes
    dh: bytes
    c: bytes = field(repr=False)


class Letters:
    """The conversations of one vault; `through` says whether all editions that can hold an epoch's parts were read."""

    def __init__(self, vault: Vault, parts: Parts, through: Callable[[int], bool]) -> None:
        self._vault, self._rows, self._parts, self._through = vault, vault.rows, parts, through

    def keep_first(self, first: FirstPart, origin: Origin, voucher: int | None) -> bool:
        """Keeps a believed first part, its text still missing; False for a replay (spec 7.2.7).

        What only a colleague vouched for (slot `voucher`) gives way to what this device could check itself.
        """
        part, name = first.part, (first.conversation, TO_DESK, first.message_id)
        query = "INSERT OR IGNORE INTO conversation VALUES (?, ?, ?, ?) RETURNING 1"
        known = not self._rows(query, first.conversation, part.kem, part.dh, part.c)
        if known and voucher is None:
            query = "DELETE FROM message WHERE (conversation, direction, id) = (?, ?, ?) AND vouched IS NOT NULL"
            if self._rows(f"{query} RETURNING 1", *name):
                self._rows("DELETE FROM plain WHERE message = ?", first.message_id)
        values = (*name, origin.epoch, origin.edition, 0, part.roster_hash, first.parts, voucher)
        query = (
            "INSERT OR IGNORE INTO message (conversation, direction, id, epoch, edition, slot, roster, parts, vouched)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING 1"
        )
        fresh = bool(self._rows(query, *values))
        if fresh and known:
            self._mark_seen(first.conversation, origin.epoch, part.seen)
        return fresh

    def _mark_seen(self, conversation: bytes, epoch: int, bitmap: bytes) -> None:
        bits = seen_bits(bitmap)
        query = "SELECT place, epoch, slot, edition FROM message WHERE conversation = ? AND direction = ? AND sent"
        for place, sealed, slot, edition in self._rows(query, conversation, TO_SOURCE):
            near = sealed in range(epoch - ANSWER_EPOCHS, epoch + 2)
            if near and seen_bit(epoch, sealed, slot, edition % QUARTERS) in bits:
                self._rows("UPDATE message SET seen = 1 WHERE place = ?", place)

    def incomplete(self, message: bytes) -> list[tuple[bytes, int]]:
        """Conversation and number of parts of the messages with this id that miss some."""
        query = "SELECT conversation, parts FROM message WHERE id = ? AND direction = ? AND text IS NULL"
        return self._rows(query, message, TO_DESK)

    def first_part(self, conversation: bytes, message: bytes) -> DeskPart | None:
        """The first part of a message, as it was kept."""
        for (plaintext,) in self._rows("SELECT plaintext FROM plain WHERE message = ? AND part = 0", message):
            part = decode(plaintext, TO_DESK)
            source = self.source(conversation)
            if isinstance(part, DeskPart) and (part.kem, part.dh, part.c) == (source.kem, source.dh, source.c):
                return part
        return None

    def complete(self, conversation: bytes, message: bytes, body: Body) -> None:
        """Gives a message its text: it is whole, and new."""
        self._rows(
            "UPDATE message SET text = ?, after = ?, language = ?, read = 0"
            " WHERE (conversation, direction, id) = (?, ?, ?)",
            *(body.text, body.after, body.language, conversation, TO_DESK, message),
        )

    def drop(self, conversation: bytes, message: bytes) -> None:
        """Takes a message back whose body turned out to be none; also a conversation that has no other."""
        self._rows(
            "DELETE FROM message WHERE (conversation, direction, id) = (?, ?, ?)", conversation, TO_DESK, message
        )
        empty = "NOT EXISTS (SELECT 1 FROM message WHERE conversation = conversation.id)"
        self._rows(f"DELETE FROM conversation WHERE id = ? AND {empty}", conversation)  # noqa: S608  # ours

    def all(self, today: int) -> list[Conversation]:
        """All conversations, the one with the newest message last."""
        of = "FROM message WHERE conversation = conversation.id"
        query = (
            f"SELECT id, (SELECT count(*) {of}), (SELECT count(*) {of} AND direction = {TO_DESK} AND NOT read),"  # noqa: S608  # ours
            " (SELECT count(*) FROM queued WHERE conversation = conversation.id)"
            " + (SELECT count(DISTINCT message) FROM sealed WHERE conversation = conversation.id),"
            f" (SELECT max(edition) / {QUARTERS} {of}), (SELECT count(*) {of} AND {_OFFERED})"
            f" FROM conversation ORDER BY (SELECT max(place) {of})"
        )
        return [Conversation(*row) for row in self._rows(query, today - OFFER_AFTER)]

    def find(self, name: str) -> bytes:
        """The id of the conversation with this sign ("two words") or beginning of an id (hex); else DeskError."""
        words = name.lower().replace("-", " ").split()
        ids = [bytes(row[0]) for row in self._rows("SELECT id FROM conversation")]
        if len(words) == 2:
            found = [each for each in ids if sign_of(each) == tuple(words)]
        else:
            found = [each for each in ids if len(words) == 1 and each.hex().startswith(words[0])]
        if not found:
            raise DeskError("There is no conversation of this name: look at the list of conversations.")
        if len(found) > 1:
            raise DeskError("Several conversations have this name: give more letters of the id.")
        return found[0]

    def read(self, conversation: bytes) -> list[Entry]:
        """All messages in as much order as is known; what came counts as read from now on."""
        query = (
            "SELECT direction, id, after, edition, epoch, parts, text, vouched, sent + seen, read, language"
            " FROM message WHERE conversation = ?"
        )
        found = {Item(row[3], row[0] == TO_DESK, row[1], row[2]): row[4:] for row in self._rows(query, conversation)}
        entries = [self._entry(conversation, item, unordered, *found[item]) for item, unordered in in_order(found)]
        self._rows("UPDATE message SET read = 1 WHERE conversation = ?", conversation)
        return entries

    def _entry(
        self,
        conversation: bytes,
        item: Item,
        unordered: bool,
        epoch: int,
        parts: int,
        text: str | None,
        vouched: int | None,
        step: int,
        read: int,
        language: str | None,
    ) -> Entry:
        state = ("read" if read else "new") if item.incoming else _STATES[step]
        if text is not None:
            return Entry(item.incoming, text, item.edition, state, parts, parts, False, vouched, unordered, language)
        first, have = self.first_part(conversation, item.id), self._parts.have(item.id, parts)
        begun, lost = beginning(first.body) if first else "", self._through(epoch)
        return Entry(item.incoming, begun, item.edition, state, parts, min(have, parts - 1), lost, vouched, unordered)

    def source(self, conversation: bytes) -> Source:
        """The keys of a conversation."""
        return Source(*self._rows("SELECT id, kem, dh, c FROM conversation WHERE id = ?", conversation)[0])

    def arrived(self, conversation: bytes) -> tuple[int, int]:
        """How many messages came, and the epoch in which the newest was sealed."""
        query = (
            "SELECT count(*), coalesce(max(epoch), 0) FROM message"
            " WHERE conversation = ? AND direction = ? AND text IS NOT NULL"
        )
        count, newest = self._rows(query, conversation, TO_DESK)[0]
        return min(count, 0xFFFF), newest

    def offered(self, conversation: bytes, today: int) -> list[tuple[int, str]]:
        """Place and text of the answers that no source is known to have seen for 25 days, the oldest first."""
        query = f"SELECT place, text FROM message WHERE conversation = ? AND {_OFFERED} ORDER BY place"  # noqa: S608  # ours
        return self._rows(query, conversation, today - OFFER_AFTER)
