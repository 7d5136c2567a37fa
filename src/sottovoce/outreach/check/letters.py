"""Letters of the wrong script: a text that nobody translated, letters that only look right, signs that nobody sees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from ..form import Form, read
from ..tongues import TONGUES
from .addresses import find
from .finding import Finding
from .meaning import known
from .parts import Parts
from .passages import Passage

_SCRIPTS = {
    "en": "LATIN", "fa": "ARABIC", "ko": "HANGUL", "ru": "CYRILLIC", "zh-Hans": "CJK", "zh-Hant": "CJK",
}  # fmt: skip
_LETTERS_LEAST, _SHARE_LEAST = 8, 0.3  # below, a text may consist of names
_JOINERS = "\u200c\u200d"  # letters' business in Persian
_MIXED = re.compile(r"\w*(?:[a-z][\u0400-\u04ff]|[\u0400-\u04ff][a-z])\w*", re.IGNORECASE)
_ARABIC = "\u064a\u0643\u0649"
_WRONG_DIGITS = {"fa": re.compile(r"[\u0660-\u0669]|(?<![A-Za-z\d])\d+(?![A-Za-z\d])", re.ASCII)}
_OTHER_DIGITS = re.compile(r"[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]")


class _Pairs(Form):
    simplified: str
    traditional: str


@cache
def _foreign(language: str) -> frozenset[str]:
    """Characters that only the other Chinese script has."""
    pairs = read(Path(str(resources.files(__package__) / "letters.toml")), _Pairs)
    other = {"zh-Hans": pairs.traditional, "zh-Hant": pairs.simplified}.get(language, "")
    return frozenset(other.replace("\n", ""))


def letters(call: Parts) -> Iterator[Finding]:
    """One finding a passage at most: the gravest."""
    every = list(known(call))
    said: dict[tuple[str, str], dict[str, str]] = {}
    for passage in every:
        said.setdefault(_same_place(passage), {})[passage.language] = passage.text
    for passage in every:
        yield from list(_faults(passage, said[_same_place(passage)]))[:1]


def _same_place(passage: Passage) -> tuple[str, str]:
    return passage.file.replace(passage.language, "*"), passage.place


def _faults(passage: Passage, others: Mapping[str, str]) -> Iterator[Finding]:
    def finding(what: str) -> Finding:
        return Finding("letters", passage.file, f"“{passage.text}” ({passage.place}) {what}.")

    if hidden := sorted({letter for letter in passage.text if _is_hidden(letter, passage.language)}):
        names = ", ".join(f"U+{ord(letter):04X}" for letter in hidden)
        said = f"The {passage.place} has signs that can't be seen ({names}): type it anew."
        yield Finding("letters", passage.file, said)
    if wrong := _foreign_to(passage):
        same = [tag for tag, text in others.items() if tag != passage.language and text == passage.text]
        if same:
            said = f"“{passage.text}” ({passage.place}) is the same as in {_name(same[0])}: translate it."
            yield Finding("untranslated", passage.file, said, "error", passage.language, passage.text)
        else:
            yield finding(wrong)
    if mixed := _MIXED.search(passage.text):
        yield finding(f"mixes Latin and Cyrillic letters in “{mixed[0]}”: type the word in one alphabet")
    yield from (finding(what) for what in _small_faults(passage))


def _foreign_to(passage: Passage) -> str:
    """What is wrong with a passage's script; "" where it is the language's."""
    name = _name(passage.language)
    if any(find(passage.text)):
        return ""  # an address has Latin letters, and its own finding
    if passage.kind not in ("organisation", "tag", "spoken"):
        scripts = [unicodedata.name(letter, "").split(" ")[0] for letter in passage.text if letter.isalpha()]
        own = sum(script == _SCRIPTS[passage.language] for script in scripts)
        if len(scripts) >= _LETTERS_LEAST and own < len(scripts) * _SHARE_LEAST:
            return f"is not written in {name}: translate it, or take it out"
    if other := [letter for letter in passage.text if letter in _foreign(passage.language)]:
        return f"has “{other[0]}”, which {name} writes otherwise: convert the whole text"
    return ""


def _name(tag: str) -> str:
    return TONGUES[tag].name if tag == "en" else f"{TONGUES[tag].name} ({tag})"


def _small_faults(passage: Passage) -> Iterator[str]:
    if passage.language == "fa" and (arabic := [letter for letter in passage.text if letter in _ARABIC]):
        yield f"has the Arabic letter “{arabic[0]}”: type the Persian one (ی, ک)"
    digits = _WRONG_DIGITS.get(passage.language, _OTHER_DIGITS).search(passage.text)
    if digits:
        own = "Persian ones (\u06f0 to \u06f9)" if passage.language == "fa" else "plain ones (0 to 9)"
        yield f"has the digits “{digits[0]}”: write {own}"


def _is_hidden(letter: str, language: str) -> bool:
    if letter in _JOINERS:
        return language != "fa"
    return unicodedata.category(letter) in ("Cf", "Co", "Cn") or (letter < " " and letter not in "\n\t")
