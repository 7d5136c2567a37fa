"""Which texts an organisation signed off, and its dated advice: what each holds (spec 8.16 and 8.17)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import HASH

from .roster import Root
from .signed import Untrusted, Verified, is_bytes, shape

SOURCE_LANGUAGE = "en"  # what the others are translated from: it needs no sign-off
LANGUAGES_MOST = 16
ADVICE_DAYS = 56  # ways around a blockade age in weeks
ADVICE_LETTERS = 2_000  # a text's characters: what a frightened person reads
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def is_tag(value: object) -> bool:
    """Whether it is a language tag as "fa" or "zh-Hans"; it is part of a file's name, so nothing else is taken."""
    return isinstance(value, str) and _TAG.fullmatch(value) is not None


def is_plain(text: object) -> bool:
    """Whether it is a text of plain paragraphs: no control characters but line feeds, not empty, not too long."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= ADVICE_LETTERS
        and all(letter == "\n" or unicodedata.category(letter) != "Cc" for letter in text)
    )


class Languages(Verified):
    """The signed-off languages: by their tags, SHA-256 of the texts as they were read, and the epoch of the review."""

    hashes: Mapping[str, bytes]
    reviewed: Mapping[str, int]


class UntrustedLanguages(Untrusted):
    """A list of signed-off languages that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedLanguages:
        """Takes the bytes apart."""
        return cls.read(raw, "languages")

    def verify(self, root: Root, today: int | None) -> Languages:
        """The list, when the root signed it (spec 8.16); `today` is None where its time does not matter."""
        self.check(root.org, [root.key], 1, self.claim.issued if today is None else today)
        made, body = Languages._made(self.claim, self.raw), self.claim.body
        shape(isinstance(body, dict) and len(body) <= LANGUAGES_MOST and all(map(is_tag, body)), "languages")
        shape(all(map(is_review, body.values())), "languages")
        made.hashes = {tag: review[0] for tag, review in body.items()}
        made.reviewed = {tag: review[1] for tag, review in body.items()}
        return made


def is_review(value: object) -> bool:
    """Whether it is a pair of a hash and the epoch of a review."""
    match value:
        case [digest, int() as epoch]:
            return is_bytes(digest, HASH) and type(epoch) is int
    return False


class Advice(Verified):
    """How to get Tor Browser where it is blocked: plain paragraphs by language tag, last verified on an epoch."""

    verified: int
    texts: Mapping[str, str]

    def fresh(self, today: int) -> bool:
        """Whether its texts may be shown; later only the day on which they were last verified."""
        return self.verified - 1 <= today <= self.claim.expires


class UntrustedAdvice(Untrusted):
    """Advice that came from somewhere."""

    @classmethod
    def of(cls, raw: bytes) -> UntrustedAdvice:
        """Takes the bytes apart."""
        return cls.read(raw, "advice")

    def verify(self, root: Root) -> Advice:
        """The advice, when the root signed it; its time may be over, and `fresh` tells (spec 8.17)."""
        self.check(root.org, [root.key], 1, self.claim.issued)
        made = Advice._made(self.claim, self.raw)
        match self.claim.body:
            case [int() as verified, dict() as texts] if type(verified) is int and len(texts) <= LANGUAGES_MOST:
                shape(all(map(is_tag, texts)) and all(map(is_plain, texts.values())), "advice")
                shape(verified <= self.claim.issued and self.claim.expires == verified + ADVICE_DAYS, "advice")
                made.verified, made.texts = verified, texts
            case _:
                shape(False, "advice")
        return made


def read_languages(raw: bytes | None, root: Root, today: int | None) -> Mapping[str, bytes]:
    """Which texts are signed off, by language tag; none where the file is missing or damaged: it locks nobody out."""
    try:
        return UntrustedLanguages.of(raw).verify(root, today).hashes if raw is not None else {}
    except Refused:
        return {}


def read_advice(raw: bytes | None, root: Root) -> Advice | None:
    """The advice; None where the file is missing or damaged."""
    try:
        return UntrustedAdvice.of(raw).verify(root) if raw is not None else None
    except Refused:
        return None
