"""Conversations in the vault: what came, what waits, what is sealed, what went.

An answer goes from `queued` (texts, still to be joined) to `message` and `sealed` (bytes, retried unchanged), and
out of `sealed` when the pool has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sottovoce.protocol.envelope import TO_DESK, TO_SOURCE, seen_bit, seen_bits
from sottovoce.protocol.keys import sign_of
from sottovoce.protocol.message import Message, Place
from sottovoce.protocol.sizes import QUARTERS

from .errors import DeskError
from .vault import Vault

_STATES = ("waiting", "sent", "seen")


@dataclass(frozen=True)
class Conversation:
    """One source's conversation, as a list shows it; `newest` is an epoch."""

    id: bytes
    messages: int
    unread: int
    waiting: int
    newest: int

    @property
    def sign(self) -> tuple[str, str]:
        """The two words that the source sees too (spec 3.5)."""
        return sign_of(self.id)


@dataclass(frozen=True)
class Entry:
    """One message as it is read; `state` is "new" or "read" for one that came, else "waiting", "sent" or "seen".

    `edition` is when it arrived, or as which it was sealed; None for a text that is not sealed yet.
    """

    incoming: bool
    text: str = field(repr=False)
    edition: int | None
    state: str


@dataclass(frozen=True)
class Source:
    """A source's keys: what an answer needs."""

    id: bytes
    kem: bytes
    dh: bytes
    c: bytes = field(repr=False)


@dataclass(frozen=True)
class Sealed:
    """An answer that is sealed and not yet known to be in the pool."""

    tag: bytes
    conversation: bytes
    message_id: bytes
    epoch: int
    envelope: bytes = field(repr=False)


class Letters:
    """The conversations of one vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._rows = vault.rows

    def keep(self, message: Message, epoch: int, edition: int) -> bool:
        """Keeps a message that a source sealed in `epoch`; False for a replay (spec 7.2, step 10)."""
        part = message.part
        with self._vault.transaction():
            source = (message.conversation, part.kem, part.dh, part.c)
            self._rows("INSERT OR IGNORE INTO conversation VALUES (?, ?, ?, ?)", *source)
            values = (message.conversation, TO_DESK, part.header.message_id, epoch, edition, 0, part.roster_hash)
            query = "INSERT OR IGNORE INTO message VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0) RETURNING 1"
            fresh = bool(self._rows(query, *values, message.body.text))
            if fresh:
                self._mark_seen(message.conversation, epoch, part.seen)
        return fresh

    def _mark_seen(self, conversation: bytes, epoch: int, bitmap: bytes) -> None:
        bits = seen_bits(bitmap)
        query = "SELECT place, epoch, slot, edition FROM message WHERE conversation = ? AND direction = ? AND sent"
        for place, sealed, slot, edition in self._rows(query, conversation, TO_SOURCE):
            if sealed in range(epoch - 30, epoch + 2) and seen_bit(epoch, sealed, slot, edition % QUARTERS) in bits:
                self._rows("UPDATE message SET seen = 1 WHERE place = ?", place)

    def all(self) -> list[Conversation]:
        """All conversations, the one with the newest message last."""
        query = (
            "SELECT conversation.id, (SELECT count(*) FROM message WHERE conversation = conversation.id),"
            " (SELECT count(*) FROM message WHERE conversation = conversation.id AND direction = ? AND NOT read),"
            " (SELECT count(*) FROM queued WHERE conversation = conversation.id)"
            " + (SELECT count(*) FROM sealed WHERE conversation = conversation.id),"
            " (SELECT max(edition) / 4 FROM message WHERE conversation = conversation.id) FROM conversation"
            " ORDER BY (SELECT max(place) FROM message WHERE conversation = conversation.id)"
        )
        return [Conversation(*row) for row in self._rows(query, TO_DESK)]

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
        """All messages in their order, queued texts last; what came counts as read from now on."""
        query = "SELECT direction, text, edition, sent + seen, read FROM message WHERE conversation = ? ORDER BY place"
        entries = []
        for direction, text, edition, step, read in self._rows(query, conversation):
            incoming = direction == TO_DESK
            state = ("read" if read else "new") if incoming else _STATES[step]
            entries.append(Entry(incoming, text, edition, state))
        self._rows("UPDATE message SET read = 1 WHERE conversation = ?", conversation)
        return entries + [Entry(False, text, None, "waiting") for text in self.queued(conversation)]

    def source(self, conversation: bytes) -> Source:
        """The keys of a conversation."""
        return Source(*self._rows("SELECT id, kem, dh, c FROM conversation WHERE id = ?", conversation)[0])

    def arrived(self, conversation: bytes) -> tuple[int, int]:
        """How many messages came, and the epoch in which the newest was sealed."""
        query = "SELECT count(*), coalesce(max(epoch), 0) FROM message WHERE conversation = ? AND direction = ?"
        count, newest = self._rows(query, conversation, TO_DESK)[0]
        return min(count, 0xFFFF), newest

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
        """The sealed answers that are not known to be in the pool, in no order that tells anything."""
        return [Sealed(*row) for row in self._rows("SELECT tag, conversation, message, epoch, envelope FROM sealed")]

    def is_used(self, conversation: bytes, edition: int) -> bool:
        """Whether an answer was sealed for this edition: there is one place only."""
        query = "SELECT 1 FROM used WHERE conversation = ? AND edition = ?"
        return bool(self._rows(query, conversation, edition))

    def keep_sealed(self, sealed: Sealed, place: Place, roster: bytes, text: str, texts: int) -> None:
        """Turns the oldest `texts` queued texts, joined as `text`, into a sealed answer, before it is posted."""
        with self._vault.transaction():
            oldest = "SELECT place FROM queued WHERE conversation = ? ORDER BY place LIMIT ?"
            self._rows(f"DELETE FROM queued WHERE place IN ({oldest})", sealed.conversation, texts)  # noqa: S608  # ours
            edition = QUARTERS * place.epoch + place.n
            values = (sealed.conversation, TO_SOURCE, sealed.message_id, place.epoch, edition, place.slot, roster, text)
            self._rows("INSERT INTO message VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 1)", *values)
            self._keep_bytes(sealed, edition)

    def replace_sealed(self, old: Sealed, new: Sealed, place: Place) -> None:
        """The same message sealed for another epoch."""
        edition = QUARTERS * place.epoch + place.n
        with self._vault.transaction():
            self._rows("DELETE FROM sealed WHERE tag = ?", old.tag)
            self._rows(
                "UPDATE message SET epoch = ?, edition = ?, slot = ? WHERE (conversation, direction, id) = (?, ?, ?)",
                *(place.epoch, edition, place.slot, new.conversation, TO_SOURCE, new.message_id),
            )
            self._keep_bytes(new, edition)

    def _keep_bytes(self, sealed: Sealed, edition: int) -> None:
        self._rows("INSERT INTO used VALUES (?, ?)", sealed.conversation, edition)
        values = (sealed.tag, sealed.conversation, sealed.message_id, sealed.epoch, sealed.envelope)
        self._rows("INSERT INTO sealed VALUES (?, ?, ?, ?, ?)", *values)

    def text_of(self, sealed: Sealed) -> str:
        """What a sealed answer says."""
        query = "SELECT text FROM message WHERE conversation = ? AND direction = ? AND id = ?"
        return str(self._rows(query, sealed.conversation, TO_SOURCE, sealed.message_id)[0][0])

    def sent(self, sealed: Sealed) -> None:
        """The pool has it: the bytes are not needed any more."""
        with self._vault.transaction():
            self._rows("DELETE FROM sealed WHERE tag = ?", sealed.tag)
            self._rows(
                "UPDATE message SET sent = 1 WHERE conversation = ? AND direction = ? AND id = ?",
                *(sealed.conversation, TO_SOURCE, sealed.message_id),
            )

    def queue_again(self, sealed: Sealed) -> None:
        """Puts a sealed answer back before what waits; its place stays used."""
        text = self.text_of(sealed)
        with self._vault.transaction():
            self._rows("DELETE FROM sealed WHERE tag = ?", sealed.tag)
            self._rows(
                "DELETE FROM message WHERE conversation = ? AND direction = ? AND id = ?",
                *(sealed.conversation, TO_SOURCE, sealed.message_id),
            )
            first = "(SELECT min(0, coalesce(min(place), 0)) - 1 FROM queued)"
            self._rows(f"INSERT INTO queued VALUES ({first}, ?, ?)", sealed.conversation, text)  # noqa: S608  # ours
