"""The door's pages: templates, sheet and catalogue become bytes. No clock, and no file once it is made.

The look follows rules: white is the visitor's, one filled button a page, at most one warning, an error above
its form and again at its field. All wording is in the templates; app code only names the case.
"""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal, cast

from babel.core import Locale
from babel.dates import format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from sottovoce.protocol.sizes import QUARTERS

from .inbox_page import SHOWN_UNFINISHED, AnswerView, InboxView, Piece, lay_out

LANGUAGE = "en"
_DATES = Locale("en", "GB")  # "16 November": the day first, as the texts read it aloud
_WORD_SHOWN = 40  # letters of an unknown word that an error repeats; no list has a longer word
_DENSE = 3  # bytes of UTF-8 a Chinese character takes
_CONSTANT = re.compile(r"\{% trans %\}([^{]*)\{% endtrans %\}")

_SAYS_WHY = (
    b"<!-- Filler: this page has the same size whether an answer waits or not, so that nobody can tell from its size.\n"
)
_END = b"-->\n"
_SPARE = len(_SAYS_WHY) + len(_END) + 64  # bytes an inbox page has besides its frame and its answers
_DAY = datetime.date(2000, 9, 30)  # the longest to write
_EMPTY = Piece(AnswerView(_DAY, _DAY, ""), [], begins=False, ends=False)
_LONGEST = InboxView(
    ("w" * 24, "w" * 24),
    [_EMPTY.answer] * 99,
    65_535,
    _DAY,
    [(_DAY, 15, 16)] * (SHOWN_UNFINISHED + 1),
    9_999,
    9_999,
    18,
)

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


class Pages:
    """Every page of one organisation's door, as UTF-8 bytes; one object serves all visitors.

    `csp` is the whole Content-Security-Policy: no script, and only the sheet with this hash. `banner` is a line
    of alarm on top of every page, for a door that runs without Tor.
    """

    def __init__(self, organisation: str, onion_address: str | None, banner: str | None = None) -> None:
        style = _minified(resources.files(__package__).joinpath("door.css").read_text("utf-8"))
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.csp = (
            f"default-src 'none'; style-src 'sha256-{digest}'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        self._environment = _environment()
        self._environment.globals.update(
            organisation=organisation,
            banner=banner,
            style=Markup(style),  # noqa: S704  (the sheet is ours, and nothing given is in it)
            groups=_groups(onion_address),
        )
        self._templates = {name: self._environment.get_template(name) for name in self._environment.list_templates()}
        self._welcome = {is_open: self._render("welcome", open=is_open) for is_open in (True, False)}
        self._bye = {expired: self._render("bye", expired=expired) for expired in (True, False)}
        self._guide = self._render("guide")
        self._enter = self._enter_with("", "", "", None)
        self._inbox_frame = max(len(self._inbox(_LONGEST, 99, 99, pieces)) for pieces in ([], [_EMPTY])) + _SPARE

    def _render(self, name: str, **values: object) -> bytes:
        return self._templates[f"{name}.html"].render(values).encode()

    def welcome(self, *, open: bool) -> bytes:
        """The first page; when not `open`, it says that no message can be taken now."""
        return self._welcome[open]

    def guide(self) -> bytes:
        """What to check before one writes."""
        return self._guide

    def words(self, *, words: Sequence[str], numbers: Sequence[str], sign: Sequence[str]) -> bytes:
        """Step 1: the twelve words, their numbers, and the sign."""
        return self._render("words", rows=list(zip(words, numbers, strict=True)), sign=sign)

    def check(
        self, *, token: str, places: tuple[int, int], typed: tuple[str, str] = ("", ""), wrong: Sequence[int] = ()
    ) -> bytes:
        """Step 2: asks for the words at two `places` (1 to 12); `wrong` are those of them that were not right."""
        fields = list(zip("ab", places, typed, strict=True))
        missed = [one for one in fields if one[1] in wrong]
        return self._render("check", token=token, fields=fields, missed=missed)

    def enter(self, *, token: str = "", typed: str = "", text: str = "", problem: Problem | None = None) -> bytes:
        """Coming back: asks for the words.

        `text` is a message that a visit's end kept from being sent: it stands in a second field of the same
        form, named text, so that it goes along with the words. Kinds: count, unknown, checksum, expired,
        outdated, unreachable.
        """
        if (token, typed, text, problem) == ("", "", "", None):
            return self._enter
        return self._enter_with(token, typed, text, problem)

    def _enter_with(self, token: str, typed: str, text: str, problem: Problem | None) -> bytes:
        return self._render("enter", token=token, typed=typed, text=text, problem=problem)

    def write(
        self,
        *,
        token: str,
        text: str = "",
        room: int,
        used: int | None = None,
        problem: Problem | None = None,
        first: bool,
    ) -> bytes:
        """The message's form: `room` bytes in all, of which `text` takes `used`; both are shown as letters.

        `first` adds "Step 3 of 3". Kinds: empty, long (needs `used`), twice, outdated, hurry, full, unreachable.
        """
        if problem and problem.kind == "long" and (used is None or used <= room):
            raise ValueError("a text that is too long needs `used`, and more of it than `room`")
        left = _about(math.floor((room - used) * len(text) / used)) if text and used else None  # in letters like these
        return self._render(
            "write", token=token, text=text, problem=problem, first=first, left=left,
            latin=_about(room), dense=_about(room // _DENSE),
        )  # fmt: skip

    def closed(self, *, text: str = "") -> bytes:
        """No valid duty key: takes no message, and gives back what was typed."""
        return self._render("closed", text=text)

    def sent(self, *, sign: Sequence[str], hour: int) -> bytes:
        """The receipt of a message that is stored; `hour` (UTC): when the next answers appear."""
        return self._render("sent", sign=sign, next=hour)

    def inbox(self, view: InboxView, number: int, size: int) -> bytes:
        """One page of the answers, of exactly `size` bytes; a `number` (from 1) that is none is the nearest page."""
        pages = lay_out(view.answers, size - self._inbox_frame)
        number = min(max(1, number), len(pages))
        content = self._inbox(view, number, len(pages), pages[number - 1])
        return content + _filler(size - len(content))

    def _inbox(self, view: InboxView, number: int, pages: int, pieces: Sequence[Piece]) -> bytes:
        return self._render("inbox", view=view, number=number, pages=pages, pieces=pieces, next=view.hour)

    def bye(self, *, expired: bool) -> bytes:
        """Goodbye; `expired`: the visit ended by itself, and the words are needed again."""
        return self._bye[expired]

    def failed(self, problem: Problem, *, text: str = "", inside: bool = False) -> bytes:
        """A step that can't be done, with what was typed; `inside` a session the page has its Leave button.

        Kinds: missing (404), large (413), broken (500), hurry, unreachable, outdated (no such form).
        """
        return self._render("failed", problem=problem, text=text, inside=inside)


def _environment() -> Environment:
    locale, catalogue = Locale(LANGUAGE), _catalogue()
    environment = Environment(
        loader=DictLoader(_sources(catalogue)), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    environment.policies["ext.i18n.trimmed"] = True
    cast(Any, environment).install_gettext_translations(catalogue, newstyle=True)  # the extension adds the method
    hours = [_hour(24 // QUARTERS * quarter) for quarter in range(QUARTERS)]
    environment.globals.update(lang=LANGUAGE, direction=locale.text_direction, hours=hours)
    environment.filters["hour"] = _hour
    environment.filters["day"] = functools.lru_cache(64)(lambda day: format_skeleton("MMMMd", day, locale=_DATES))
    environment.filters["number"] = functools.lru_cache(256)(lambda number: format_decimal(number, locale=locale))
    return environment


def _catalogue() -> Translations:
    with resources.files(__package__).joinpath("locale", f"{LANGUAGE}.po").open("rb") as source:
        messages = read_po(source, locale=LANGUAGE)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


def _sources(catalogue: Translations) -> dict[str, str]:
    """The templates, with every text that has no variable already in its language: a render looks nothing up."""

    def translate(found: re.Match[str]) -> str:
        return catalogue.gettext(re.sub(r"\s*\n\s*", " ", found[1].strip()))  # as the extension trims

    files = resources.files(__package__).joinpath("templates").iterdir()
    return {file.name: _CONSTANT.sub(translate, file.read_text("utf-8")) for file in files}


def _minified(style: str) -> str:
    style = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL))
    return re.sub(r"\s*([{};,])\s*", r"\1", style).replace(";}", "}").strip()


def _groups(onion_address: str | None) -> list[str]:
    """An address in groups of eight letters, as an eye compares it."""
    name = (onion_address or "").removesuffix(".onion")
    return [name[start : start + 8] for start in range(0, len(name), 8)] + [".onion"] if name else []


def _hour(hour: int) -> str:
    return f"{hour:02}:00"


def _filler(size: int) -> bytes:
    """So many bytes that no browser shows; ValueError when there is no room for them: a page grew too large."""
    if (left := size - len(_SAYS_WHY) - len(_END)) < 0:
        raise ValueError("an inbox page is larger than its fixed size")
    lines = (b"." * 99 + b"\n") * (left // 100 + 1)
    return _SAYS_WHY + lines[:left] + _END


def _about(number: int) -> int:
    """Two figures of a number, rounded down: to less room, or to more that is too much."""
    unit: int = 10 ** max(0, len(str(abs(number))) - 2)
    return number - number % unit
