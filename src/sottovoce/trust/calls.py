"""Which texts of a call an organisation signed off, (spec 8.18)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sottovoce.protocol.errors import Refused

from .languages import LANGUAGES_MOST, is_review, is_tag
from .roster import Root
from .signed import Untrusted, Verified, shape

NAME_MOST = 32  # characters
_NAME = re.compile(r"[a-z]{2,}(-[a-z]{2,}){0,3}")


def is_call_name(value: object) -> bool:
    """Whether it is a call's name as it stands in a path: small letters and single hyphens, no digits to count with."""
    return isinstance(value, str) and len(value) <= NAME_MOST and _NAME.fullmatch(value) is not None


class CallTexts(Verified):
    """What is signed off of one call: by language, SHA-256 of all that is said in it, and the epoch of the review."""

    hashes: Mapping[str, bytes]
    reviewed: Mapping[str, int]


class UntrustedCallTexts(Untrusted):
    """A sign-off of a call's texts that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedCallTexts:
        """Takes the bytes apart."""
        return cls.read(raw, "texts")

    def verify(self, root: Root) -> CallTexts:
        """The sign-off, when the root signed it; it holds until the texts change (spec 8.18)."""
        self.check(root.org, [root.key], 1, self.claim.issued)
        made, body = CallTexts._made(self.claim, self.raw), self.claim.body
        shape(isinstance(body, dict) and len(body) <= LANGUAGES_MOST and all(map(is_tag, body)), "texts")
        shape(all(map(is_review, body.values())), "texts")
        made.hashes = {tag: review[0] for tag, review in body.items()}
        made.reviewed = {tag: review[1] for tag, review in body.items()}
        return made


def read_texts(raw: bytes | None, root: Root) -> Mapping[str, bytes]:
    """Which texts of a call are signed off, by language; none where the file is missing or damaged."""
    try:
        return UntrustedCallTexts.of(raw).verify(root).hashes if raw is not None else {}
    except Refused:
        return {}
