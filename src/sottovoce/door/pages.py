"""The door's pages in one language: what happened becomes bytes. No clock, and no file once it is made.

The look follows rules: white is the visitor's, one filled button a page, at most one warning, an error above
its form and again at its field. All wording is in the templates; app code only names the case.
"""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import NamedTuple

from markupsafe import Markup

from .inbox_page import SHOWN_UNFINISHED, AnswerView, InboxView, Piece, lay_out
from .pack import Pack
from .texts import Frame, Texts, Tongue, gap
from .told import CardView, News, Problem

GUIDES = ("guide", "text", "lost", "worry", "practice", "when", "address", "limits")

_SAYS_WHY = (
    b"<!-- Filler: this page has the same size whether an answer waits or not, so that nobody can tell from its size.\n"
)
_END = b"-->\n"
_SPARE = len(_SAYS_WHY) + len(_END) + 128  # bytes an inbox page has besides its frame and its answers
_LONGEST_SIGN = (0, 0)
_DAYS = [datetime.date(2000, month, 30 if month != 2 else 29) for month in range(1, 13)]


class Sheet(NamedTuple):
    """The one style sheet, and the whole Content-Security-Policy: no script, and only the sheet with this hash."""

    style: str
    csp: str

    @classmethod
    def read(cls) -> Sheet:
        """The package's own."""
        style = _minified(resources.files(__package__).joinpath("door.css").read_text("utf-8"))
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        csp = f"default-src 'none'; style-src 'sha256-{digest}'; "
        return cls(style, csp + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")


@dataclass(frozen=True)
class Pages:
    """Every page of one organisation's door in one language, as UTF-8 bytes; one object serves all visitors.

    In a `practice` nobody gets what is written, and each page says so.
    """

    texts: Texts
    csp: str
    news: News = field(default_factory=News)
    practice: bool = False

    @classmethod
    def of(
        cls,
        pack: Pack,
        card: CardView,
        tongues: Sequence[Tongue],
        *,
        reviewed: bool = True,
        banner: str | None = None,
    ) -> Pages:
        """The pages of a pack; `tongues` are all that are offered, `banner` a line of alarm on top of every page."""
        sheet = Sheet.read()
        values = {
            "organisation": card.name, "card": card, "groups": _groups(card.onion_address), "tongues": tongues,
            "style": Markup(sheet.style),  # noqa: S704  (the sheet is ours, and nothing given is in it)
            "banner": banner, "unreviewed": not reviewed,
        }  # fmt: skip
        return cls(Texts(pack, values), sheet.csp)

    def under(self, news: News, *, practice: bool = False) -> Pages:
        """The same pages under these news."""
        same = (news, practice) == (self.news, self.practice)
        return self if same else _other(self, news, practice)

    def _render(self, name: str, up: str = "../", base: str = "", **values: object) -> bytes:
        """`up` leads from the page to the site's top, `base` to the other pages of its language."""
        news = {"away": self.news.away, "since": self.news.since, "practice": self.practice}
        return self.texts.render(name, {"root": up, "base": base, **news, **values})

    @functools.lru_cache(maxsize=64)  # noqa: B019  (as below)
    def _frame(self, name: str, **values: object) -> Frame:
        """The page with gaps for what is a visit's own."""
        return Frame.of(self._render(name, "../", "", **values))

    @functools.lru_cache(maxsize=256)  # noqa: B019  (a handful of views live as long as the process)
    def _kept(self, name: str, up: str = "../", base: str = "", **values: object) -> bytes:
        return self._render(name, up, base, **values)

    # -- without a visit ---------------------------------------------------------

    def welcome(self, *, open: bool, up: str | None = None) -> bytes:
        """The first page; when not `open`, it says that no message can be taken now.

        `up` leads to the site's top from a place that is not among the pages of this language.
        """
        return self._kept("welcome", *self._place(up), open=open)

    def _place(self, up: str | None) -> tuple[str, str]:
        return ("../", "") if up is None else (up, f"{up}{self.texts.tongue.tag}/")

    def guide(self, name: str, *, hour: int, up: str | None = None) -> bytes:
        """One of the pages that help (`GUIDES`); `hour` (UTC): when the next answers appear; `up` as above."""
        advice, verified = self.news.advice, self.news.verified
        return self._kept(name, *self._place(up), next=hour, advice=advice, verified=verified)

    def bye(self, *, expired: bool) -> bytes:
        """Goodbye; `expired`: the visit ended by itself, and the words are needed again."""
        return self._kept("bye", expired=expired)

    def enter(self, *, token: str = "", typed: str = "", text: str = "", problem: Problem | None = None) -> bytes:
        """Coming back: asks for the words.

        `text` is a message that a visit's end kept from being sent: it stands in a second field of the same
        form, named text, so that it goes along with the words. Kinds: count, unknown, checksum, expired,
        outdated, unreachable.
        """
        render = self._kept if (token, typed, text, problem) == ("", "", "", None) else self._render
        return render("enter", token=token, typed=typed, text=text, problem=problem)

    def failed(self, problem: Problem, *, text: str = "", inside: bool = False, up: str = "../") -> bytes:
        """A step that can't be done, with what was typed; `inside` a session the page has its Leave button.

        `up` leads to the site's top. Kinds: missing (404), large (413), broken (500), hurry, unreachable, outdated
        (no such form).
        """
        base = f"{up}{self.texts.tongue.tag}/"
        return self._render("failed", up, base, problem=problem, text=text, inside=inside)

    # -- within a visit ------------------------------------------------------------

    def second(self) -> bytes:
        """Asks whether a second conversation shall really begin in this visit."""
        return self._kept("second")

    def words(self, *, places: Sequence[int], sign: Sequence[int]) -> bytes:
        """Step 1: the twelve words at these places of the lists, with their numbers, and the sign, from its places."""
        rows = self.texts.words(places)
        gaps = tuple((gap(2 * n), gap(2 * n + 1)) for n in range(len(rows)))
        texts = [text for row in rows for text in row]
        return self._frame("words", rows=gaps, sign=gap(len(texts))).fill(*texts, self.texts.sign(sign))

    def check(
        self, *, token: str, places: tuple[int, int], typed: tuple[str, str] = ("", ""), wrong: Sequence[int] = ()
    ) -> bytes:
        """Step 2: asks for the words at two `places` (1 to 12); `wrong` are those of them that were not right."""
        shown = [self.texts.number(place) for place in places]
        if not wrong and typed == ("", ""):
            fields = tuple(zip("ab", (gap(1), gap(2)), typed, strict=True))
            return self._frame("check", token=gap(0), fields=fields, missed=()).fill(token, *shown)
        fields = tuple(zip("ab", shown, typed, strict=True))
        missed = [field for field, place in zip(fields, places, strict=True) if place in wrong]
        return self._render("check", token=token, fields=fields, missed=missed)

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
        letters = _about(room // self.texts.tongue.density)
        if (text, used, problem) == ("", None, None):
            empty = {"text": "", "problem": None, "left": None}
            return self._frame("write", token=gap(0), first=first, letters=letters, **empty).fill(token)
        left = _about(math.floor((room - used) * len(text) / used)) if text and used else None  # in letters like these
        return self._render("write", token=token, text=text, problem=problem, first=first, left=left, letters=letters)

    def closed(self, *, text: str = "") -> bytes:
        """No valid duty key, or a warning: takes no message, and gives back what was typed."""
        return self._render("closed", text=text)

    def sent(self, *, sign: Sequence[int], hour: int) -> bytes:
        """The receipt of a message that is stored; `hour` (UTC): when the next answers appear."""
        return self._frame("sent", sign=gap(0), next=hour).fill(self.texts.sign(sign))

    def inbox(self, view: InboxView, number: int, size: int) -> bytes:
        """One page of the answers, of exactly `size` bytes; a `number` (from 1) that is none is the nearest page."""
        pages = lay_out(view.answers, size - self._inbox_frame)
        number = min(max(1, number), len(pages))
        content = self._inbox(view, number, len(pages), pages[number - 1])
        return content + _filler(size - len(content))

    def _inbox(self, view: InboxView, number: int, pages: int, pieces: Sequence[Piece]) -> bytes:
        return self._render(
            "inbox",
            view=view,
            sign=self.texts.sign(view.sign),
            number=number,
            pages=pages,
            pieces=pieces,
            next=view.hour,
        )

    @functools.cached_property
    def _inbox_frame(self) -> int:
        """The most bytes of an inbox page that are no answers: the same under all news."""
        day = max(_DAYS, key=lambda day: len(self.texts.day(day).encode()))
        empty = Piece(AnswerView(day, day, ""), [], begins=False, ends=False)
        unfinished = [(day, 15, 16)] * (SHOWN_UNFINISHED + 1)
        longest = InboxView(_LONGEST_SIGN, [empty.answer] * 99, 65_535, day, unfinished, 9_999, 9_999, 18)
        view = Pages(self.texts, self.csp, News(day, day), practice=True)
        return max(len(view._inbox(longest, 99, 99, pieces)) for pieces in ([], [empty])) + _SPARE

    def sample_answer(self) -> str:
        """What a practice's inbox shows."""
        return self.texts.render("sample", {}).decode().strip()


@functools.lru_cache(maxsize=256)
def _other(pages: Pages, news: News, practice: bool) -> Pages:
    return replace(pages, news=news, practice=practice)


def _minified(style: str) -> str:
    style = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL))
    return re.sub(r"\s*([{};,])\s*", r"\1", style).replace(";}", "}").strip()


def _groups(onion_address: str | None) -> list[str]:
    """An address in groups of eight letters, as an eye compares it."""
    name = (onion_address or "").removesuffix(".onion")
    return [name[start : start + 8] for start in range(0, len(name), 8)] + [".onion"] if name else []


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
