"""The policy's clauses in six languages: statements that contradict what the organisation decided once.

Patterns find statements as people write them; they are no grammar. Meaning can't be linted: people read every sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple

from ..form import Form, read
from .plain import BORDERS, plain

CONTRARY: Mapping[str, Mapping[str, Sequence[str]]] = {  # which statements contradict an answer
    "phone": {"never": ("yes", "yours"), "own": ("no", "yours")},
    "vpn": {"none": ("yes",), "before": ("no",)},
    "helper": {"never": ("yes",), "trusted": ("no",)},
    "email": {"never": ("yes",)},
    "private_mode": {"never": ("yes",)},
    "device": {"own": ("yes",)},
}
SAYS = {  # what a statement says, for the sentence of a finding
    ("phone", "yes"): "that a phone may be used",
    ("phone", "yours"): "that the reader's own phone may be used",
    ("phone", "no"): "that no phone may be used",
    ("vpn", "yes"): "that a VPN is to be used",
    ("vpn", "no"): "that no VPN is needed",
    ("helper", "yes"): "that somebody else may act for the source",
    ("helper", "no"): "that nobody else may act for the source",
    ("email", "yes"): "that messages or answers go by e-mail",
    ("private_mode", "yes"): "that a browser's private mode is enough",
    ("device", "yes"): "that a device or network of work or home may be used",
}
_PART = re.compile(r"[,;:\u060c\u061b\u2013\u2014\u3001]+")
_NOUN = re.compile(r"<(\w+)>")


class Patterns(Form):
    """patterns/LANGUAGE.toml, as its first lines explain."""

    negation: str
    side: Literal["before", "after"]
    claims: list[str]
    generic: list[str]
    nouns: dict[str, str]
    clauses: dict[str, dict[str, list[str]]]


class Statement(NamedTuple):
    """What a sentence says on a clause."""

    clause: str
    statement: str
    words: str


@cache
def patterns(language: str) -> Patterns:
    """What is looked for in a language."""
    return read(Path(str(resources.files(__package__) / "patterns" / f"{language}.toml")), Patterns)


@cache
def expression(language: str, pattern: str) -> re.Pattern[str]:
    """A pattern with its nouns put in and a word's borders as the language has them."""
    begin, end = BORDERS.get(language, ("", ""))
    nouns = patterns(language).nouns
    for _ in range(2):  # a noun may name another one
        pattern = _NOUN.sub(lambda name: nouns[name[1]], pattern)
    return re.compile(f"{begin}(?:{pattern}){end}")


def statements(language: str, sentence: str) -> Iterator[Statement]:
    """All that a sentence says on the clauses, each statement once."""
    text = plain(sentence)
    for clause, kinds in patterns(language).clauses.items():
        for kind, each in kinds.items():
            hits = (hit for pattern in each for hit in expression(language, pattern).finditer(text))
            if hit := next((hit for hit in hits if kind == "no" or not denied(language, text, hit)), None):
                yield Statement(clause, kind, hit[0])


def denied(language: str, text: str, hit: re.Match[str]) -> bool:
    """Whether the part of the sentence in which something was found denies it, on the side where the language does."""
    known = patterns(language)
    if known.side == "before":
        begin = max((cut.end() for cut in _PART.finditer(text, 0, hit.start())), default=0)
        part = text[begin : hit.end()]
    else:
        begin = max(hit.start(), text.rfind(" ", 0, hit.end()))
        cut = _PART.search(text, hit.end())
        part = text[begin : cut.start() if cut else None]
    begin_word, end_word = BORDERS.get(language, ("", "")) if known.side == "before" else ("", "")
    return re.search(f"{begin_word}{known.negation}{end_word}", part) is not None
