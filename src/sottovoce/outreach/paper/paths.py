"""A call's path on the door, `/c/NAME`: the same for everybody, few of them, and no word that betrays its visitor.

Whoever sees an address bar, a log or a history reads the name. And a name that only one person got is a watermark: who
gave it away knows who came.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.form import Form, read
from sottovoce.trust.calls import NAME_MOST, is_call_name

ALIVE_MOST = 20
_SAME_START_MOST = 3  # harbour-one to harbour-nine tell people apart, as numbers would
# No word's consonants; hexadecimal digits without digits; the same part again.
_DRAWN = re.compile(r"[bcdfghjklmnpqrstvwxz]{6}|(?<![a-z])[a-f]{6,}(?![a-z])|(?<![a-z])[^aeiouy-]{3,}(?![a-z])")


class _Betraying(Form):
    whole: list[str]
    within: list[str]


@cache
def _betraying() -> _Betraying:
    return read(Path(str(resources.files(__package__) / "paths.toml")), _Betraying)


def check_path(name: str) -> None:
    """CallError for a name that is not neutral, or looks as if it were made for one person."""
    for fault in _faults(name):
        raise CallError(f"The path “{name}” {fault}")


def check_paths(names: Sequence[str]) -> None:
    """Each of the names that are alive, and all of them together; CallError for the first that doesn't fit."""
    if len(names) > ALIVE_MOST:
        raise CallError(f"{len(names)} paths are alive, {ALIVE_MOST} are the most: end a call before you begin one.")
    for name in names:
        check_path(name)
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise CallError(f"The path “{repeated[0]}” is there twice: give one of the two calls another name.")
    starts = Counter(name.rpartition("-")[0] or name for name in names)
    if crowded := [start for start, count in starts.items() if count > _SAME_START_MOST]:
        raise CallError(f"Many paths begin with “{crowded[0]}”, as if to tell people apart: give all readers one path.")


def _faults(name: str) -> Iterator[str]:
    if len(name) > NAME_MOST:
        yield f"has more than {NAME_MOST} letters, as if it were one person's: take one or two short words."
    if any(letter.isdigit() for letter in name):
        yield "has digits, as one that was made for one person: take words only."
    if not is_call_name(name):
        yield "is no plain name: take one to four words of small letters from a to z, with a hyphen between them."
    if _DRAWN.search(name):
        yield "looks drawn by lot, as one that was made for one person: take a word that can be read aloud."
    if word := _betrayal(name):
        yield f"says “{word}”, and whoever sees it knows why somebody came: take a name that tells nothing."


def _betrayal(name: str) -> str | None:
    words, joined = _betraying(), name.replace("-", "")
    parts = [part.removesuffix("s") for part in name.split("-")]
    return next(
        iter([*(word for word in words.whole if word in parts), *(w for w in words.within if w in joined)]), None
    )
