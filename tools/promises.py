#!/usr/bin/env python3
"""Looks in all catalogues for words that promise money, a visa, protection, an answer or full safety.

promises.toml holds the words of each language, and by hand, with a reason each, the sentences that may use them. A
sentence is named by its English text (the msgid). What a sentence means can't be linted: people have to read it.
"""

from __future__ import annotations

import re
import sys
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "src/sottovoce/door/locale"
DATA = Path(__file__).with_suffix(".toml")
KINDS = ("money", "visa", "protection", "answer", "safety")
_BEGIN, _END = r"(?<!\w)", r"(?!\w)"
BORDERS = {"en": (_BEGIN, _END), "fa": (_BEGIN, _END), "ru": (_BEGIN, _END), "ko": (_BEGIN, "")}  # Chinese has none
LIMIT = "Meaning can't be linted: this finds words, and a promise can be made without them. Read every sentence."
_LETTERS = str.maketrans({"\u064a": "\u06cc", "\u0643": "\u06a9", "\u200c": " ", "\u200d": " "})
_MARKS = re.compile(r"</?\w+>|%\(\w+\)s")

Words = Mapping[str, Mapping[str, re.Pattern[str]]]


class Found(NamedTuple):
    """A word of a kind in the translation of a sentence."""

    language: str
    msgid: str
    kind: str
    word: str

    @property
    def text(self) -> str:
        """It as a fault."""
        return f"{self.language}: “{self.msgid}”: “{self.word}” may promise {self.kind}."


def patterns(data: Mapping[str, Any]) -> Words:
    """For each language and kind, one expression of all its words."""
    found = {}
    for language, kinds in data["words"].items():
        if sorted(kinds) != sorted(KINDS):
            raise SystemExit(f"{DATA.name}: {language} must have words for {', '.join(KINDS)}.")
        begin, end = BORDERS.get(language, ("", ""))
        found[language] = {kind: re.compile(f"{begin}(?:{'|'.join(words)}){end}") for kind, words in kinds.items()}
    return found


def plain(text: str) -> str:
    """A text as it is compared: one form for what looks the same; mark-up, variables and vowel signs left out."""
    text = unicodedata.normalize("NFKC", _MARKS.sub(" ", text)).lower().translate(_LETTERS)
    kept = (letter for letter in text if unicodedata.category(letter) != "Mn")
    digits = (str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in kept)
    return " ".join("".join(digits).split())


def promises(language: str, messages: Sequence[Message], data: Mapping[str, Any], words: Words) -> Iterator[Found]:
    """What the translations of one language may promise; names of others' buttons don't count where they stand."""
    for message in messages:
        names = [
            name
            for each in data.get("names", ())
            if each["english"] in msgid_of(message)
            for name in each.get(language, ())
        ]
        forms = message.string if isinstance(message.string, (list, tuple)) else (message.string or "",)
        texts = [_without(names, plain(form)) for form in forms]
        for kind, pattern in words[language].items():
            if hit := next(filter(None, map(pattern.search, texts)), None):
                yield Found(language, msgid_of(message), kind, hit[0])


def _without(names: Sequence[str], text: str) -> str:
    for name in names:
        text = text.replace(plain(name), " … ")
    return text


def msgid_of(message: Message) -> str:
    """The English sentence that names a message."""
    return message.id if isinstance(message.id, str) else message.id[0]


def faults(locale: Path, data: Mapping[str, Any]) -> list[str]:
    """A sentence for each promise that is not allowed, and for each entry of the list that is no longer needed."""
    words, catalogues = patterns(data), dict(_catalogues(locale))
    said = [f"{DATA.name} has no words for {language}: add them." for language in catalogues if language not in words]
    found = [
        each
        for language, messages in catalogues.items()
        if language in words
        for each in promises(language, messages, data, words)
    ]
    allowed = {(entry["msgid"], kind) for entry in data.get("allowed", ()) for kind in entry["kinds"]}
    known = {msgid_of(message) for messages in catalogues.values() for message in messages}
    said += [each.text for each in found if (each.msgid, each.kind) not in allowed]
    said += [f"Allowed without a reason: “{entry['msgid']}”." for entry in data.get("allowed", ()) if not entry["why"]]
    said += [f"Allowed, but no sentence of the door: “{msgid}”." for msgid in sorted({a for a, _ in allowed} - known)]
    needless = allowed - {(each.msgid, each.kind) for each in found}
    return said + [
        f"Allowed, but not needed: {kind} in “{msgid}”." for msgid, kind in sorted(needless) if msgid in known
    ]


def _catalogues(locale: Path) -> Iterator[tuple[str, list[Message]]]:
    for path in sorted(locale.glob("*.po")):
        with path.open("rb") as source:
            yield path.stem, [message for message in read_po(source) if message.id]


def main() -> int:
    """Prints what is wrong and what this can't see; 1 when something is wrong."""
    said = faults(LOCALE, tomllib.loads(DATA.read_text("utf-8")))
    print(*said, LIMIT, sep="\n")
    return bool(said)


if __name__ == "__main__":
    sys.exit(main())
