"""One language of the door: its sentences in the templates, its words, its numbers and dates.

A language is complete or it is not offered: nothing here falls back to another one.
"""

from __future__ import annotations

import datetime
import functools
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from unicodedata import normalize

from babel.core import Locale
from babel.dates import format_date, format_skeleton
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.numbers import format_decimal
from babel.support import Translations
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import escape
from persiantools.jdatetime import MONTH_NAMES_FA, JalaliDate

from sottovoce.protocol.sizes import QUARTERS
from sottovoce.protocol.words import number as number_of
from sottovoce.protocol.words import word_list

from .pack import Pack

_CONSTANT = re.compile(r"\{% trans %\}([^{]*)\{% endtrans %\}")
_HOURS = range(0, 24, 24 // QUARTERS)  # UTC, at which editions begin
_PERSIAN = {ord("0") + digit: 0x06F0 + digit for digit in range(10)}


@dataclass(frozen=True)
class Tongue:
    """A language: its BCP 47 tag, as in addresses; its own name; its word list, None where there is none.

    `density`: bytes of UTF-8 that a letter takes. `place`: where most of its readers live, in their words, and `ahead`:
    by how many minutes the clock there is ahead of UTC.
    """

    tag: str
    name: str
    words: str | None
    locale: Locale
    density: int = 1
    place: str = ""
    ahead: int = 0

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return str(self.locale.text_direction)


_ALL = (
    Tongue("en", "English", "english", Locale("en", "GB")),  # "16 November": the day first, as the texts read it aloud
    Tongue("fa", "فارسی", None, Locale("fa"), 2, "تهران", 210),
    Tongue("ko", "한국어", "korean", Locale("ko"), 3, "서울·평양", 540),
    Tongue("ru", "Русский", "russian", Locale("ru"), 2, "Москва", 180),
    Tongue("zh-Hans", "简体中文", "chinese_simplified", Locale("zh", script="Hans"), 3, "北京", 480),
    Tongue("zh-Hant", "繁體中文", "chinese_traditional", Locale("zh", script="Hant"), 3, "台北", 480),
)
TONGUES: Mapping[str, Tongue] = {tongue.tag: tongue for tongue in _ALL}
_TRADITIONAL = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


def negotiated(accepted: str, offered: Sequence[str]) -> str:
    """Which of the `offered` tags fits an Accept-Language header best; the first of them when none does."""
    for wish in sorted(map(_wish, accepted.split(",")), key=lambda wish: -wish[0]):
        found = _tag_of(wish[1])
        if wish[0] > 0 and found in offered:
            return found
    return offered[0]


def _wish(part: str) -> tuple[float, str]:
    tag, _, weight = part.strip().lower().partition(";q=")
    try:
        return (float(weight) if weight else 1.0), tag
    except ValueError:
        return 0.0, tag


def _tag_of(wished: str) -> str:
    if wished.partition("-")[0] == "zh":
        return "zh-Hant" if wished.startswith(_TRADITIONAL) else "zh-Hans"
    return wished.partition("-")[0]


_GAP = re.compile("\ue000(\\d+)\ue001")  # private characters: no text of ours has them


def gap(number: int) -> str:
    """What stands in a frame until it is filled."""
    return f"\ue000{number}\ue001"


@dataclass(frozen=True)
class Frame:
    """A page that was rendered once, and is filled for each visit: joining bytes takes a tenth of a rendering."""

    parts: Sequence[bytes]
    gaps: Sequence[int]

    @classmethod
    def of(cls, page: bytes) -> Frame:
        """The frame of a page in which gaps stand."""
        parts = _GAP.split(page.decode())
        return cls([part.encode() for part in parts[::2]], [int(number) for number in parts[1::2]])

    def fill(self, *given: str) -> bytes:
        """The page, with the given texts in its gaps by their numbers; each is escaped."""
        escaped = [escape(text).encode() for text in given]
        joined = [self.parts[0]]
        for number, part in zip(self.gaps, self.parts[1:], strict=True):
            joined += escaped[number], part
        return b"".join(joined)


class Texts:
    """The templates of one language, ready to be filled; `values` are those that every page has."""

    def __init__(self, pack: Pack, values: Mapping[str, object]) -> None:
        self.tongue = tongue = TONGUES[pack.language]
        self._translations = _compiled(pack.messages())
        environment = self._environment(pack.templates)
        environment.globals.update(
            lang=tongue.tag, direction=tongue.direction, has_words=tongue.words is not None,
            hours=[self.hour(hour) for hour in _HOURS], place=tongue.place, hours_there=self._there(), **values,
        )  # fmt: skip
        self._templates = {name: environment.get_template(name) for name in environment.list_templates()}

    def _environment(self, templates: Mapping[str, str]) -> Environment:
        environment = Environment(
            loader=DictLoader({name: self._settled(source) for name, source in templates.items()}),
            autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False, extensions=["jinja2.ext.i18n"],
        )  # fmt: skip
        environment.policies["ext.i18n.trimmed"] = True
        cast(Any, environment).install_gettext_translations(self._translations, newstyle=True)  # the extension's
        environment.filters |= {"hour": self.hour, "day": self.day, "date": self.date, "number": self.number}
        return environment

    def _settled(self, source: str) -> str:
        """A template with every text that has no variable already in its language: a render looks nothing up."""

        def translate(found: re.Match[str]) -> str:
            return str(self._translations.gettext(re.sub(r"\s*\n\s*", " ", found[1].strip())))  # as the extension trims

        return _CONSTANT.sub(translate, source)

    def render(self, name: str, values: Mapping[str, object]) -> bytes:
        """A page as UTF-8."""
        return self._templates[f"{name}.html"].render(values).encode()

    # -- numbers, days, words: as this language writes them ------------------------

    def digits(self, text: str) -> str:
        """A text with the digits of the language."""
        return text.translate(_PERSIAN) if self.tongue.tag == "fa" else text

    @functools.lru_cache(maxsize=512)  # noqa: B019  (a handful of languages live as long as the process)
    def number(self, number: int) -> str:
        """A whole number."""
        return self.digits(format_decimal(number, locale=self.tongue.locale, numbering_system="default"))

    def hour(self, hour: int) -> str:
        """A full hour of the day."""
        return self.digits(f"{hour:02}:00")

    def _there(self) -> list[str]:
        """The hours at which editions begin, by the clock of the readers' place."""
        minutes = sorted((60 * hour + self.tongue.ahead) % (24 * 60) for hour in _HOURS)
        return [self.digits(f"{minute // 60:02}:{minute % 60:02}") for minute in minutes]

    @functools.lru_cache(maxsize=512)  # noqa: B019  (as above)
    def day(self, day: datetime.date) -> str:
        """A day without its year."""
        shown = format_skeleton("MMMMd", day, locale=self.tongue.locale)
        return self._by_both_calendars(day, shown, year=False)

    def date(self, day: datetime.date) -> str:
        """A day with its year."""
        shown = format_date(day, "long", locale=self.tongue.locale)
        return self._by_both_calendars(day, shown, year=True)

    def _by_both_calendars(self, day: datetime.date, shown: str, *, year: bool) -> str:
        """In Persian the day as people there count it, and the one that we count in brackets."""
        if self.tongue.tag != "fa":
            return shown
        there = JalaliDate(day)  # type: ignore[no-untyped-call]  # its constructor alone has no types
        name = f"{there.day} {MONTH_NAMES_FA[there.month]}" + (f" {there.year}" if year else "")
        return self.digits(f"{name} ({shown})")

    def words(self, indices: Sequence[int]) -> list[tuple[str, str]]:
        """The words at these places of the lists, each with its number.

        Where there is no list, the number in the language's digits and in those that the whole world reads: fonts draw
        some Persian digits in ways that are read wrong.
        """
        listed = word_list(self.tongue.words) if self.tongue.words else None
        numbers = [(index, number_of(index)) for index in indices]
        return [(normalize("NFC", listed[n]) if listed else self.digits(number), number) for n, number in numbers]

    def sign(self, places: Sequence[int]) -> str:
        """The sign, from its places in the lists: two words of this language, or two numbers."""
        return " ".join(word for word, _ in self.words(places))


def _compiled(catalogue: Catalog) -> Translations:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
