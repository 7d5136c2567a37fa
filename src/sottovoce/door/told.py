"""What the pages are told: cases and facts without wording."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

_WORD_SHOWN = 40  # letters of an unknown word that an error repeats; no list has a longer word

Kind = Literal[
    "count", "unknown", "checksum", "expired",  # entering the words
    "empty", "long", "twice", "outdated",  # writing
    "hurry", "full", "unreachable", "missing", "large", "broken",  # the server
]  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """What went wrong, as a case without wording.

    `count`: how many words were typed (kind "count"); `place` (1 to 12), `word`, `near` (at most two are
    shown): the word that is in no list (kind "unknown"); `hour` (UTC): when there is room again (kind "full").
    Nothing typed shows in a repr.
    """

    kind: Kind
    count: int = 0
    place: int = 0
    word: str = field(default="", repr=False)
    near: tuple[str, ...] = field(default=(), repr=False)
    hour: int = 0

    @property
    def shown(self) -> str:
        """The unknown word, cut to a length that a sentence can hold."""
        return self.word if len(self.word) <= _WORD_SHOWN else f"{self.word[:_WORD_SHOWN]}…"


class CallView(NamedTuple):
    """What the pages show of a call: its title, its last day, and SHA-256 of its list of files, in groups of hex."""

    title: str
    until: datetime.date
    list_hash: Sequence[str]


class CardView(NamedTuple):
    """What the pages show of the organisation's card; `until` is its last day, `calls` are in one language."""

    name: str
    onion_address: str | None
    check_words: Sequence[str] = ()
    accounts: Sequence[str] = ()
    until: datetime.date = datetime.date(2100, 1, 1)
    calls: Sequence[CallView] = ()


class News(NamedTuple):
    """What the organisation says of late, and every page heeds.

    `away`: the last day of its absence. `since`: the first day whose messages may be in other hands. `advice`:
    paragraphs for where Tor is blocked; `verified`: the day on which somebody checked the last such advice.
    """

    away: datetime.date | None = None
    since: datetime.date | None = None
    advice: tuple[str, ...] = ()
    verified: datetime.date | None = None
