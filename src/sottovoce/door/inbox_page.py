"""How answers are laid out on pages of one size: by their escaped bytes, at paragraphs and words where it can be."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import escape

SHOWN_UNFINISHED = 8  # answers of which parts are missing, told one by one; more of them are told as a number
_SECTION = 800  # bytes of mark-up around an answer, at most
_PARAGRAPH = 24  # and around a paragraph
_LEAST = 400  # bytes of text below which an answer begins on the next page
_BACK = 200  # characters that a page may lose so that no word is cut


@dataclass(frozen=True)
class AnswerView:
    """One answer: the day it was written, the last day it stays, its text."""

    day: datetime.date
    last_day: datetime.date
    text: str = field(repr=False)

    @property
    def paragraphs(self) -> list[str]:
        """The text at its blank lines; single line breaks stay inside a paragraph."""
        text = self.text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
        return re.split(r"\n(?:[ \t]*\n)+", text)


@dataclass(frozen=True)
class InboxView:
    """All that an inbox tells: the sign by its places in the lists; answers, newest first; what had arrived.

    Of `received` own messages the last came on `received_day`.

    `unfinished`: (day, parts here, parts in all) of answers that can't be shown yet. `skip` and `older` are the
    source's: what was left out, and where still older answers begin. `hour` (UTC) begins the next edition.
    """

    sign: Sequence[int]
    answers: Sequence[AnswerView]
    received: int
    received_day: datetime.date | None
    unfinished: Sequence[tuple[datetime.date, int, int]]
    skip: int
    older: int | None
    hour: int


@dataclass(frozen=True)
class Piece:
    """What one page shows of one answer."""

    answer: AnswerView
    paragraphs: list[str] = field(repr=False)
    begins: bool
    ends: bool


def lay_out(answers: Sequence[AnswerView], room: int) -> list[list[Piece]]:
    """Pages, at least one, whose pieces each fit with their mark-up into `room` bytes."""
    pages: list[list[Piece]] = [[]]
    left = room
    for answer in answers:
        if left < _SECTION + _PARAGRAPH + _LEAST:
            pages.append([])
            left = room
        for piece, used in _pieces(answer, left, room):
            if not piece.begins:
                pages.append([])
                left = room
            pages[-1].append(piece)
            left -= used
    return pages


def _pieces(answer: AnswerView, left: int, room: int) -> Iterator[tuple[Piece, int]]:
    """The answer's pieces and their bytes: the first fits into `left`, each other one into `room`."""
    waiting, begins = answer.paragraphs[::-1], True
    while waiting:
        shown: list[str] = []
        used = _SECTION
        while waiting and left - used > _PARAGRAPH:
            part, rest = _split(waiting.pop(), left - used - _PARAGRAPH)
            if part or not rest:
                shown.append(part)
                used += _PARAGRAPH + _size(part)
            if rest:
                waiting.append(rest)
                break
        yield Piece(answer, shown, begins, not waiting), used
        left, begins = room, False


def _split(text: str, most: int) -> tuple[str, str]:
    """As much of a text as its escaped form has room for in `most` bytes, and the rest."""
    if _size(text[: most + 1]) <= most:
        return text, ""
    low, high = 0, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(text[:middle]) <= most else (low, middle - 1)
    space = max(text.rfind(mark, max(0, low - _BACK), low) for mark in " \n")
    cut = space + 1 if space > 0 else low
    return text[:cut], text[cut:]


def _size(text: str) -> int:
    return len(str(escape(text)).encode())
