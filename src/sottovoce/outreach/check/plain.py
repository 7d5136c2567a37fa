"""Texts as linters compare them, and cut into sentences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_BEGIN, _END = r"(?<!\w)", r"(?!\w)"
BORDERS = {"en": (_BEGIN, _END), "fa": (_BEGIN, _END), "ru": (_BEGIN, _END), "ko": (_BEGIN, "")}  # Chinese has none
_LETTERS = str.maketrans({"\u064a": "\u06cc", "\u0643": "\u06a9", "\u200c": " ", "\u200d": " "})
_CLOSING = "\u201d\u2019\u00bb\u300d\u300f\uff09\")'"
_SENTENCE = re.compile(rf"(?<=[.!?\u2026\u061f])[{_CLOSING}]*\s+|(?<=[\u3002\uff01\uff1f])[{_CLOSING}]*\s*|[\n\u3000]+")


@lru_cache(maxsize=4_096)
def plain(text: str) -> str:
    """One form for what looks the same: NFKC, small letters, joiners as spaces, vowel signs left out, European digits,
    Persian yeh and kaf."""
    text = unicodedata.normalize("NFKC", text).lower().translate(_LETTERS)
    kept = (letter for letter in text if unicodedata.category(letter) != "Mn")
    digits = (str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in kept)
    return " ".join("".join(digits).split())


def expression(language: str, patterns: list[str]) -> re.Pattern[str]:
    """One expression of several, with a word's borders as the language has them; of none, one that fits nothing."""
    begin, end = BORDERS.get(language, ("", ""))
    return re.compile(f"{begin}(?:{'|'.join(patterns)}){end}" if patterns else "(?!)")


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text as they stand; a line, and in Chinese a wide space, ends one too."""
    begin = 0
    for cut in _SENTENCE.finditer(text):
        yield from _stripped(text[begin : cut.end()])
        begin = cut.end()
    yield from _stripped(text[begin:])


def _stripped(text: str) -> Iterator[str]:
    if text.strip():
        yield text.strip()
