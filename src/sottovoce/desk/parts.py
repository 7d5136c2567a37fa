"""Later parts of messages, bounded: what waits for the rest, and what belongs to a message that is believed (spec 7.5).

Nothing authenticates a later part by itself. Who knows a message's id can add some; so a few candidates a part are
kept, and the first part's hash of the whole decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from sottovoce.protocol.envelope import TO_DESK, decode
from sottovoce.protocol.message import UntrustedPart
from sottovoce.protocol.reassembly import CANDIDATES, ORPHANS

from .vault import Vault

_MOST = 4 * ORPHANS  # while a sync runs: the first part may come later in the same edition
_ORPHAN = f"message NOT IN (SELECT id FROM message WHERE direction = {TO_DESK} AND text IS NULL)"  # noqa: S608  # ours


class Origin(NamedTuple):
    """Where a plaintext lay: under which tag, sealed for which epoch, in which edition."""

    tag: bytes
    epoch: int
    edition: int


class Parts:
    """The later parts and the exact plaintexts of one vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault, self._rows = vault, vault.rows

    def is_kept(self, tag: bytes, plaintext: bytes) -> bool:
        """Whether exactly this lies here already as part of a believed message."""
        return self._rows("SELECT plaintext FROM plain WHERE tag = ?", tag) == [(plaintext,)]

    def keep_plain(self, origin: Origin, message: bytes, part: int, plaintext: bytes) -> None:
        """Keeps the exact plaintext of a believed part: a colleague may ask for it (spec 10.5)."""
        self._rows("INSERT OR REPLACE INTO plain VALUES (?, ?, ?, ?, ?, ?)", *origin, message, part, plaintext)

    def keep_later(self, found: UntrustedPart, origin: Origin) -> bool:
        """Keeps a later part as a candidate, those of the earliest editions first; whether it was kept."""
        header, digest = found.part.header, hashlib.sha256(found.part.body).digest()
        name = (found.message_id, header.parts, header.part)
        held = self._rows("SELECT rowid, edition, hash FROM later WHERE (message, parts, part) = (?, ?, ?)", *name)
        if any(other == digest for _, _, other in held):
            return False
        if len(held) >= CANDIDATES:
            edition, row = max((edition, row) for row, edition, _ in held)
            if edition <= origin.edition:
                return False
            self._rows("DELETE FROM later WHERE rowid = ?", row)
        query = "INSERT INTO later VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        self._rows(query, *origin, found.message_id, header.part, header.parts, digest, found.plaintext)
        return True

    def candidates(self, message: bytes, parts: int) -> list[list[bytes]]:
        """The bodies that are here for each later part of a message, in order of parts."""
        query = "SELECT part, plaintext FROM later WHERE message = ? AND parts = ? ORDER BY part, edition, hash"
        found: list[list[bytes]] = [[] for _ in range(parts - 1)]
        for part, plaintext in self._rows(query, message, parts):
            found[part - 1].append(decode(plaintext, TO_DESK).body)
        return found

    def have(self, message: bytes, parts: int) -> int:
        """How many parts of an incomplete message are here, its first one among them."""
        query = "SELECT count(DISTINCT part) FROM later WHERE message = ? AND parts = ?"
        return 1 + int(self._rows(query, message, parts)[0][0])

    def believe(self, message: bytes, parts: int, bodies: Sequence[bytes]) -> None:
        """These are the later parts of a message that is whole now: their plaintexts are kept with it.

        Other candidates wait on as orphans: who knows an id must not be able to end another message's wait.
        """
        for part, body in enumerate(bodies, 1):
            name = (message, parts, part, hashlib.sha256(body).digest())
            query = "DELETE FROM later WHERE (message, parts, part, hash) = (?, ?, ?, ?)"
            for *origin, plaintext in self._rows(f"{query} RETURNING tag, epoch, edition, plaintext", *name):
                self.keep_plain(Origin(*origin), message, part, plaintext)

    def prune(self, most: int = _MOST) -> None:
        """Drops parts that no known message waits for, down to `most`, those of the oldest editions first.

        Within an edition chance decides: whoever floods could choose tags that any order would favour.
        """
        query = f"SELECT rowid FROM later WHERE {_ORPHAN} ORDER BY edition DESC, random() LIMIT -1 OFFSET ?"  # noqa: S608  # ours
        self._rows(f"DELETE FROM later WHERE rowid IN ({query})", most)  # noqa: S608  # ours

    def settle(self) -> None:
        """At the end of a sync: orphans are at most as many as may stay."""
        self.prune(ORPHANS)


def beginning(body: bytes) -> str:
    """The text as far as a first part's body holds it; it is authenticated, but its whole is not here (spec 6.2)."""
    head = {0x78: 1, 0x79: 2, 0x7A: 4}
    if len(body) < 3 or not 0xA1 <= body[0] <= 0xB7 or body[1]:
        return ""
    if body[2] in head:
        start = 3 + head[body[2]]
        length = int.from_bytes(body[3:start], "big")
    elif 0x60 <= body[2] <= 0x77:
        start, length = 3, body[2] - 0x60
    else:
        return ""
    return body[start : start + length].decode("utf-8", "ignore")
