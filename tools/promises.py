#!/usr/bin/env python3
"""Looks in all catalogues for words that promise money, a visa, protection, an answer or full safety.

The words of each language are in the outreach's check, which looks for them in calls too. promises.toml holds, by hand
and with a reason each, the sentences of the door that may use them. A sentence is named by its English text (the
msgid). What a sentence means can't be linted: people have to read it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from sottovoce.outreach.check.plain import plain
from sottovoce.outreach.check.promises import LIMIT, lists, patterns

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "src/sottovoce/door/locale"
DATA = Path(__file__).with_suffix(".toml")
_MARKS = re.compile(r"</?\w+>|%\(\w+\)s")


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


def promises(language: str, messages: Sequence[Message]) -> Iterator[Found]:
    """What the translations of one language may promise; names of others' buttons don't count where they stand."""
    for message in messages:
        names = [
            name for each in lists().names if each["english"][0] in msgid_of(message) for name in each.get(language, ())
        ]
        forms = message.string if isinstance(message.string, (list, tuple)) else (message.string or "",)
        texts = [_without(names, plain(_MARKS.sub(" ", form))) for form in forms]
        for kind, pattern in patterns(language).items():
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
    words, catalogues = lists().words, dict(_catalogues(locale))
    said = [f"{DATA.name} has no words for {language}: add them." for language in catalogues if language not in words]
    found = [
        each for language, messages in catalogues.items() if language in words for each in promises(language, messages)
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
