"""A receipt: by it, and without the words, a device sees whether its own envelopes appear in the editions.

It names a message's envelopes, and opens nothing. Who has it can tell that its holder wrote that message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256

from sottovoce.protocol.envelope import PARTS
from sottovoce.protocol.sizes import TAG

from .conversation import Written, tags_of
from .errors import SourceError

_DIGEST = 8  # bytes: nobody can make other envelopes with it that somebody else then takes for these


class Appears(Enum):
    """What the editions show of a message."""

    WHOLE = "all of its envelopes, unchanged"
    PARTLY = "some of its envelopes"
    NOT = "none of its envelopes"
    CHANGED = "other bytes under its tags"


@dataclass(frozen=True)
class Receipt:
    """`link` makes the tags of `parts` envelopes; `digest` is of their bytes, empty when they are not known."""

    link: bytes = field(repr=False)
    parts: int
    digest: bytes

    @classmethod
    def of(cls, written: Written, stored: Mapping[bytes, bytes]) -> Receipt:
        """The receipt of a message; `stored` are the SHA-256 of the envelopes that were put, by tag."""
        hashes = [stored.get(tag) for tag in written.tags]
        return cls(written.link, len(hashes), _digest([each for each in hashes if each]) if all(hashes) else b"")

    @classmethod
    def read(cls, text: str) -> Receipt:
        """The receipt that `encode` wrote; SourceError when it is none."""
        try:
            raw = bytes.fromhex("".join(text.split()))
        except ValueError:
            raw = b""
        if len(raw) not in (TAG + 1, TAG + 1 + _DIGEST) or not 0 < raw[TAG] <= PARTS:
            raise SourceError("This is no receipt: compare it with what was printed when you wrote.")
        return cls(raw[:TAG], raw[TAG], raw[TAG + 1 :])

    def encode(self) -> str:
        """34 or 50 hexadecimal digits."""
        return (self.link + bytes([self.parts]) + self.digest).hex()

    @property
    def tags(self) -> list[bytes]:
        """The tags of the message's envelopes."""
        return tags_of(self.link, self.parts)

    def compare(self, found: Mapping[bytes, bytes]) -> Appears:
        """What `found` (envelopes by tag) shows of the message."""
        hashes = [sha256(found[tag]).digest() for tag in self.tags if tag in found]
        if not hashes:
            return Appears.NOT
        if len(hashes) < self.parts:
            return Appears.PARTLY
        return Appears.CHANGED if self.digest and _digest(hashes) != self.digest else Appears.WHOLE


def _digest(hashes: list[bytes]) -> bytes:
    return sha256(b"".join(hashes)).digest()[:_DIGEST]
