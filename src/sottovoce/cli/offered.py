"""Which languages a server's folder offers, and how many sentences of this program's tree wait for review."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sottovoce.door.errors import TextsError
from sottovoce.door.pack import LANGUAGES, Pack, pack_of, waiting
from sottovoce.trust.languages import SOURCE_LANGUAGE
from sottovoce.trust.published import SignedFolder


class Line(NamedTuple):
    """One language: whether visitors are offered it, how many sentences wait, and all that in words.

    `fault`: it is signed off, and can't be served; else "".
    """

    language: str
    offered: bool
    waiting: int
    text: str
    fault: str = ""


def offered(signed: SignedFolder) -> list[Line]:
    """A line for each language that this program knows or the organisation signed off; English comes first."""
    others = sorted({*LANGUAGES, *signed.languages()} - {SOURCE_LANGUAGE})
    source = Line(SOURCE_LANGUAGE, offered=True, waiting=0, text="the source of the others, always offered")
    return [source, *(_line(signed, language) for language in others)]


def texts(signed: SignedFolder, *, unreviewed: bool) -> list[tuple[Pack, bool]]:
    """What visitors are offered: the texts of each language, and whether a native reader reviewed them.

    English is the first, and this program's own. The others are as they were signed off; with `unreviewed`, as in the
    demo, as this program has them, whether somebody read them or not.
    """
    if unreviewed:
        return [(Pack.read(pack_of(tag)), tag == SOURCE_LANGUAGE) for tag in LANGUAGES]
    held = [(tag, signed.pack(tag)) for tag in LANGUAGES if tag in signed.languages()]
    return [(Pack.read(pack_of(SOURCE_LANGUAGE)), True), *_readable(held)]


def _readable(held: Sequence[tuple[str, bytes | None]]) -> Iterator[tuple[Pack, bool]]:
    for tag, raw in held:
        with contextlib.suppress(TextsError):  # the lines above tell the operator
            if raw is not None and (pack := Pack.read(raw)).language == tag:
                yield pack, True


def _line(signed: SignedFolder, language: str) -> Line:
    if language not in signed.languages():
        return Line(language, offered=False, waiting=0, text="not signed off, so not offered")
    raw = signed.pack(language)
    if raw is None:
        fault = f"Its texts are missing or damaged: publish {language} again at the office."
        return Line(language, offered=False, waiting=0, text=f"signed off, but not offered. {fault}", fault=fault)
    try:
        held = Pack.read(raw)
    except TextsError as error:
        return Line(language, offered=False, waiting=0, text=f"signed off, but not offered. {error}", fault=str(error))
    count = unreviewed(language, held)
    return Line(language, offered=True, waiting=count, text=f"signed off and offered{_said(count)}")


def unreviewed(language: str, held: Pack) -> int:
    """How many sentences of this program's tree wait for review; 0 where it has no texts in the language."""
    try:
        return len(waiting(held, Pack.read(pack_of(language))))
    except TextsError:
        return 0


def _said(count: int) -> str:
    if count == 0:
        return ""
    what = "one sentence waits" if count == 1 else f"{count} sentences wait"
    return f" as it was reviewed; {what} for review"
