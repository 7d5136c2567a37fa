"""The lines of an end card in their places: as large as fits, mirrored where a language runs from right to left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..call import Shape
from ..tongues import Tongue
from .fonts import MONO, face
from .layout import LAYOUTS, Layout
from .legible import LEAST_SIZE, PHONE, Role, Text
from .letters import Letters, written_in
from .qr import MODULES
from .sizes import INK, SIZES, TEAL
from .wrap import wrap

_GROUP = 4  # letters of an address that are read at once
_GAP = 0.37  # of a letter's size, between groups
_PALE = 0.8
_BESIDE_LOGO = 24


@dataclass(frozen=True)
class Composer:
    """Places lines of a language on a card of a shape."""

    tongue: Tongue
    shape: Shape

    @property
    def layout(self) -> Layout:
        """The shape's layout."""
        return LAYOUTS[self.shape]

    def mirrored(self, x: float, width: float = 0) -> float:
        """The left edge of what has its left edge at x where a language runs to the right."""
        return -x - width if self.tongue.rtl else x

    @property
    def code(self) -> tuple[int, int]:
        """The QR code's left upper corner."""
        x, y = self.layout.code
        return round(self.mirrored(x, MODULES * self.layout.module)), y

    @property
    def logo(self) -> tuple[float, int]:
        """The middle of the organisation's sign."""
        y, unit = self.layout.logo
        return self.mirrored(self.layout.x + 50 * unit), y

    def names(self, own: str, second: str) -> Iterator[Text]:
        """The organisation's name in the language, and the card's name below it."""
        beside = self.layout.x + round(100 * self.layout.logo[1]) + _BESIDE_LOGO
        width = self.layout.x + self.layout.width - beside
        y, size = self.layout.name
        down = 0 if second else round(size * 0.35)
        yield self._line("words", own, (beside, y + down), size, width, Letters(self.tongue, serif=True))
        if second:
            y, size = self.layout.second
            yield self._line("small", second, (beside, y), size, width, Letters(written_in(second), bold=False))

    def type_it(self, text: str) -> Text:
        """What to do with the address."""
        x = self.layout.x if self.layout.beside is None else self.layout.beside
        return self._line("words", text, (x, self.layout.type_it[0]), self.layout.type_it[1], self._width_from(x))

    def address(self, address: str) -> Iterator[Text]:
        """The address in groups of four, which differ in colour; it runs from left to right in all languages."""
        name, _, ending = address.partition(".")
        groups = [name[at : at + _GROUP] for at in range(0, len(name), _GROUP)]
        rows = [groups[at : at + self.layout.groups] for at in range(0, len(groups), self.layout.groups)]
        mono, size = face(MONO, bold=True), self.layout.size
        letter, first = mono.width("0", size), self.layout.address[0]
        step = _GROUP * letter + _GAP * size
        left = self.mirrored(first, self.layout.groups * step - _GAP * size)
        for row, in_row in enumerate(rows):
            y = self.layout.address[1] + row * self.layout.lead
            for column, group in enumerate(in_row):
                fill = TEAL if (row + column) % 2 else INK
                yield Text("address", group, left + column * step, y, size, _GROUP * letter, MONO, fill)
        beside = len(rows[-1]) * _GROUP + len(ending) + 1 <= self.layout.groups * _GROUP
        x = left + len(rows[-1]) * step - _GAP * size if beside else left
        y = self.layout.address[1] + (len(rows) - beside) * self.layout.lead
        yield Text("address", f".{ending}", x, y, size, (len(ending) + 1) * letter, MONO, INK)

    def check(self, label: str, words: Sequence[str]) -> Iterator[Text]:
        """The card's check words with what they are, in one line."""
        x = self.layout.x if self.layout.beside is None else self.layout.beside
        y, most = self.layout.check
        letters, mono, said = Letters(self.tongue), face(MONO), " ".join(words)
        size = min(
            most, most * self._width_from(x) / (letters.width(label, most) + mono.width(said, most) + most * 0.6)
        )
        before = letters.width(label, size) + size * 0.6
        yield self._line("small", label, (x, y), size, before)
        width = mono.width(said, size)
        yield Text("small", said, self.mirrored(x + before, width), y, size, width, MONO, INK, bold=False)

    def notes(self, parts: Sequence[str]) -> Iterator[Text]:
        """The sentences on safety, in as many lines as need be."""
        top, bottom, most = self.layout.note
        letters, lead = Letters(self.tongue), 1.55 if self.tongue.rtl else 1.32
        least = round(LEAST_SIZE["words"] * SIZES[self.shape][0] / PHONE)
        for size in range(most, least - 1, -1):
            lines = [line for part in parts for line in self._wrapped(part, letters, size)]
            if len(lines) * lead * size <= bottom - top:
                break
        for number, line in enumerate(lines):
            at = (self.layout.x, top + (number + 0.8) * lead * size)
            yield self._line("words", line, at, size, self.layout.width)

    def _wrapped(self, text: str, letters: Letters, size: float) -> list[str]:
        return wrap(text, self.tongue, lambda line: letters.width(line, size), self.layout.width)

    def label(self, text: str) -> Text:
        """That the film is acted, or made by a machine."""
        y, size = self.layout.label
        letters = Letters(self.tongue, bold=False)
        return self._line("small", text, (self.layout.x, y), size, self.layout.width, letters, opacity=_PALE)

    def _width_from(self, x: float) -> float:
        return self.layout.x + self.layout.width - x

    def _line(
        self,
        role: Role,
        text: str,
        at: tuple[float, float],
        size: float,
        width: float,
        letters: Letters | None = None,
        opacity: float = 1,
    ) -> Text:
        """A line that begins at `at` and takes at most `width`: smaller than `size` where it would be wider."""
        letters = letters or Letters(self.tongue)
        size = min(size, size * width / max(letters.width(text, size), 1))
        wide, rtl = letters.width(text, size), letters.tongue.rtl
        x = self.mirrored(at[0], wide) + (wide if rtl else 0)
        family = letters.own.family
        return Text(role, text, x, at[1], size, wide, family, INK, bold=letters.bold, opacity=opacity, rtl=rtl)
