"""Promises of money, a visa, protection, an answer or full safety: words without which they are hard to make.

One list for the door's catalogues (tools/promises.py) and for calls. A call may be about such things too (stolen money,
a bridge that isn't safe): `topics` are words that count as a promise only where the sentence speaks to or of a source,
and as a slogan where it is short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from ..form import Form, read
from .plain import expression, plain

_SLOGAN = 32  # letters of a sentence; wide ones count twice
KINDS = ("money", "visa", "protection", "answer", "safety")
LIMIT = "Meaning can't be linted: this finds words, and a promise can be made without them. Read every sentence."


class Lists(Form):
    """promises.toml: regular expressions by language and kind; `names` are names of others' buttons, by language."""

    words: dict[str, dict[str, list[str]]]
    names: list[dict[str, list[str]]]
    you: dict[str, str]
    topics: dict[str, dict[str, list[str]]]


@dataclass(frozen=True)
class Promise:
    """A word of a kind; `certain` where the sentence hardly speaks of something else than a promise."""

    kind: str
    word: str
    certain: bool


@cache
def lists() -> Lists:
    """The lists of words."""
    return read(Path(str(resources.files(__package__) / "promises.toml")), Lists)


@cache
def patterns(language: str) -> Mapping[str, re.Pattern[str]]:
    """For each kind, one expression of all its words in a language."""
    return {kind: expression(language, words) for kind, words in lists().words[language].items()}


def promises(language: str, sentence: str) -> Iterator[Promise]:
    """What a sentence may promise: of each kind the first word that is certain, else the first one."""
    text = without_names(language, plain(sentence))
    to_reader = expression(language, [lists().you[language]]).search(text) is not None
    for kind, pattern in patterns(language).items():
        topic = expression(language, lists().topics[language][kind])
        found = [Promise(kind, hit[0], to_reader or not topic.fullmatch(hit[0])) for hit in pattern.finditer(text)]
        yield from sorted(found, key=lambda each: not each.certain)[:1]


def is_slogan(sentence: str) -> bool:
    """Whether a sentence is so short that a single word in it promises: “Safe and simple.”"""
    letters = plain(sentence)
    wide = sum(letter >= "\u2e80" for letter in letters)
    return len(letters) + wide <= _SLOGAN


def without_names(language: str, text: str) -> str:
    """A plain text without the names of others' buttons and settings."""
    for names in lists().names:
        for name in names.get(language, ()):
            text = text.replace(plain(name), " … ")
    return text
