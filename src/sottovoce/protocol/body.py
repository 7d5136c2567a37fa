"""What a message says: CBOR with small integer keys (spec 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import cbor
from .errors import Refused

TEXT, ATTACHMENTS, CALL, LANGUAGE = range(4)
LIMIT = 16 * 7_032  # sixteen parts at most, none larger
_OVERHEAD = 5  # the map, the key 0 and the text's length: what a text of up to 65,535 bytes costs besides itself


@dataclass(frozen=True)
class Body:
    """A message's content; `unknown` holds the keys that a later version may use (spec 6.3)."""

    text: str = field(repr=False)
    unknown: Mapping[int, object] = field(default_factory=dict, repr=False)

    def encode(self) -> bytes:
        """The body's bytes (spec 6.2)."""
        return cbor.encode({TEXT: self.text, **self.unknown})

    @classmethod
    def decode(cls, data: bytes) -> Body:
        """The body that `data` encodes; Refused("body") when it is none (spec 6.2)."""
        value = cbor.decode(data, "body", LIMIT)
        if not isinstance(value, dict) or not all(type(key) is int for key in value):
            raise Refused("body", "The body is not a map with integer keys.")
        text = value.pop(TEXT, None)
        if not isinstance(text, str):
            raise Refused("body", "The body holds no text.")
        return cls(text, value)


def text_room(body_room: int) -> int:
    """Bytes of UTF-8 that a text may have, so that its body fits into `body_room` bytes (spec 6.4)."""
    return body_room - _OVERHEAD
