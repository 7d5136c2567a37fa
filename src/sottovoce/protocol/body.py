"""What a message says: CBOR with small integer keys (spec 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import cbor
from .errors import Refused

TEXT, ATTACHMENTS, CALL, LANGUAGE, AFTER = range(5)
LIMIT = 16 * 7_032  # sixteen parts at most, none larger
_MESSAGE_ID = 16
_TAG_MOST = 8  # characters of a language's tag: "zh-Hans" has seven
_OVERHEAD = 7 + (2 + _MESSAGE_ID) + (2 + _TAG_MOST)  # the map, a text's key and longest head; `after`; `language`


@dataclass(frozen=True)
class Body:
    """A message's content; `unknown` holds the keys that a later version may use (spec 6.3).

    `after`: the id (16 bytes) of the message that its writer wrote just before in the same visit, so that two
    messages of one edition have an order (spec 6.5). It is no time, and says nothing across visits.
    `language`: the tag of the language in which the source reads our pages (spec 6.6).
    """

    text: str = field(repr=False)
    after: bytes | None = None
    language: str | None = None
    unknown: Mapping[int, object] = field(default_factory=dict, repr=False)

    def encode(self) -> bytes:
        """The body's bytes (spec 6.2)."""
        given = {LANGUAGE: self.language, AFTER: self.after}
        known = {key: value for key, value in given.items() if value is not None}
        return cbor.encode({TEXT: self.text, **known, **self.unknown})

    @classmethod
    def decode(cls, data: bytes) -> Body:
        """The body that `data` encodes; Refused("body") when it is none (spec 6.2, 6.5, 6.6)."""
        value = cbor.decode(data, "body", LIMIT)
        if not isinstance(value, dict) or not all(type(key) is int for key in value):
            raise Refused("body", "The body is not a map with integer keys.")
        text = value.pop(TEXT, None)
        if not isinstance(text, str):
            raise Refused("body", "The body holds no text.")
        if AFTER in value and (type(value[AFTER]) is not bytes or len(value[AFTER]) != _MESSAGE_ID):
            raise Refused("body", "What the message came after is no message's id.")
        if LANGUAGE in value and not _is_tag(value[LANGUAGE]):
            raise Refused("body", "The message's language is no tag of one.")
        return cls(text, value.pop(AFTER, None), value.pop(LANGUAGE, None), value)


def _is_tag(value: object) -> bool:
    short = isinstance(value, str) and 2 <= len(value) <= _TAG_MOST
    return short and str(value).isascii() and str(value).replace("-", "").isalnum()


def text_room(body_room: int) -> int:
    """Bytes of UTF-8 that a text may have, so that its body surely fits into `body_room` bytes (spec 6.4)."""
    return body_room - _OVERHEAD
