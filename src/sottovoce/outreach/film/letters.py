"""A language's letters in pictures: how wide a line is, and how libass is told to set it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ..tongues import TONGUES, Tongue
from .fonts import LATIN, Face, face

_OTHERS = re.compile(r"[^\s\u0600-\u06ff\u200c-\u200f\ufb50-\ufdff\ufe70-\ufefc]+")  # not of Arabic script
_RTL_MARK = "\u200f"  # a line that begins with a Latin word runs from right to left all the same
_SMALLER = 0.95  # Latin letters beside Arabic ones, which are lower


@dataclass(frozen=True)
class Letters:
    """The letters of a language. Its typeface for Arabic script has no Latin ones: they are taken from another."""

    tongue: Tongue
    serif: bool = False
    bold: bool = True

    @property
    def own(self) -> Face:
        """The language's own typeface."""
        return face(self.tongue.serif if self.serif else self.tongue.sans, bold=self.bold)

    @property
    def _latin(self) -> Face:
        return face(LATIN, bold=self.bold)

    def width(self, text: str, size: float) -> float:
        """How many pixels a line takes, for letters of a size."""
        if not self.tongue.rtl:
            return self.own.width(text, size)
        latin = sum(self._latin.width(run, size * _SMALLER) for run in _OTHERS.findall(text))
        return self.own.width(_OTHERS.sub("", text), size) + latin

    def line(self, size: float) -> float:
        """The size for libass, which counts the height of a line and not of a letter."""
        return size * sum(self.own.reach)

    def ass(self, text: str, size: float) -> str:
        """A line as libass takes it."""
        line = "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text)
        safe = line.replace("\\", "\\\u2060").replace("{", "\\{").replace("}", "\\}")
        if not self.tongue.rtl:
            return safe
        there = f"{{\\fn{self._latin.family}\\fs{size * _SMALLER * sum(self._latin.reach):.1f}}}"
        back = f"{{\\fn{self.own.family}\\fs{self.line(size):.1f}}}"
        return _RTL_MARK + _OTHERS.sub(lambda match: f"{there}{match[0]}{back}", safe)


_SCRIPTS = {"CJK": "zh-Hans", "HANGUL": "ko", "ARABIC": "fa", "CYRILLIC": "ru"}


def written_in(text: str) -> Tongue:
    """A language whose typeface has the letters of a text, by the first one of another script than Latin."""
    scripts = (unicodedata.name(letter, "").partition(" ")[0] for letter in text)
    return TONGUES[next((_SCRIPTS[script] for script in scripts if script in _SCRIPTS), "en")]
