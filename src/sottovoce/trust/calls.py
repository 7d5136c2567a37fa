"""Which texts of a call an organisation signed off, and which calls are its own (spec 8.18 and 8.19)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import HASH

from .languages import LANGUAGES_MOST, is_review, is_tag
from .roster import Root
from .signed import Untrusted, Verified, is_bytes, shape

CALLS_MOST = 20  # at once: a path for each reader would be a mark on each reader
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


class SignedCall(NamedTuple):
    """A call that is the organisation's own: SHA-256 of the list of its files, and the last day it is meant for."""

    hash: bytes
    until: int


class Calls(Verified):
    """The organisation's own calls by their names."""

    calls: Mapping[str, SignedCall]


class UntrustedCalls(Untrusted):
    """A list of calls that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedCalls:
        """Takes the bytes apart."""
        return cls.read(raw, "calls")

    def verify(self, root: Root, today: int | None) -> Calls:
        """The list, when the root signed it (spec 8.19); `today` is None where its time does not matter."""
        self.check(root.org, [root.key], 1, self.claim.issued if today is None else today)
        made, body = Calls._made(self.claim, self.raw), self.claim.body
        shape(isinstance(body, dict) and len(body) <= CALLS_MOST and all(map(is_call_name, body)), "calls")
        shape(all(map(_is_call, body.values())), "calls")
        made.calls = {name: SignedCall(*call) for name, call in body.items()}
        return made


def _is_call(value: object) -> bool:
    match value:
        case [digest, int() as until]:
            return is_bytes(digest, HASH) and type(until) is int
    return False


def read_texts(raw: bytes | None, root: Root) -> Mapping[str, bytes]:
    """Which texts of a call are signed off, by language; none where the file is missing or damaged."""
    try:
        return UntrustedCallTexts.of(raw).verify(root).hashes if raw is not None else {}
    except Refused:
        return {}


def read_calls(raw: bytes | None, root: Root, today: int | None) -> Mapping[str, SignedCall]:
    """The organisation's calls; none where the file is missing or damaged: it locks nobody out."""
    try:
        return UntrustedCalls.of(raw).verify(root, today).calls if raw is not None else {}
    except Refused:
        return {}
