"""What the protocol says when it refuses: one family for the peer's faults, one for typed words."""

from __future__ import annotations

from typing import Literal

Layer = Literal["size", "seal", "header", "body", "authentication", "replay", "reassembly", "roster", "duty list"]


class Refused(Exception):
    """Bytes from outside are not what they should be; `layer` names the check that refused them."""

    def __init__(self, layer: Layer, reason: str) -> None:
        super().__init__(reason)
        self.layer: Layer = layer


class PhraseError(Exception):
    """Typed words are no passphrase.

    The text never repeats what was typed, so that it may be printed; the attributes do,
    for the page or prompt that shows the typed words again anyway.
    """

    def __init__(
        self,
        kind: Literal["count", "unknown", "checksum"],
        *,
        count: int = 0,
        place: int = 0,
        word: str = "",
        near: tuple[str, ...] = (),
    ) -> None:
        super().__init__(
            {
                "count": f"There are {count} words, but a passphrase has twelve: check that none is missing or twice.",
                "unknown": f"Word {place} is not in the list: compare it with what was written down.",
                "checksum": "These twelve words do not belong together: one is wrong, or two changed places.",
            }[kind]
        )
        self.kind, self.count, self.place, self.word, self.near = kind, count, place, word, near
