"""What is burnt into a film's pictures: captions, the words of its overlay, a label, and DRAFT where it is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..call import Shape
from ..errors import CallError
from ..srt import Cue
from ..tongues import Tongue
from .ass import OUTLINED, Inscription, pill, script
from .letters import Letters
from .overlay import LABEL, Overlay
from .sizes import CLEAR, SIZES
from .wrap import wrap


@dataclass(frozen=True)
class Look:
    """Captions in a shape: size of letters, widest line, where the last line stands (up from below), most lines;
    the label's size, and its middle."""

    letter: int
    widest: int
    below: int
    lines: int
    label: int
    label_at: tuple[int, int] | None  # None: at the left, or at the right where a language runs that way


LOOKS: dict[Shape, Look] = {
    "16x9": Look(58, 1_560, 84, 3, 30, None),
    "9x16": Look(64, 900, 450, 4, 31, (540, 150)),  # apps cover the lowest fifth, and the top
    "1x1": Look(54, 940, 80, 3, 28, None),
}


@dataclass(frozen=True)
class Burnt:
    """What is burnt into a body of a shape, `seconds` long: the same value, the same pictures."""

    tongue: Tongue
    shape: Shape
    seconds: float
    rate: int
    label: str
    cues: Sequence[Cue] = ()
    overlay: Path | None = field(default=None, repr=False)
    words: Sequence[tuple[str, str]] = ()

    def ass(self) -> str:
        """The file that libass draws; CallError where a caption has too many lines, or the overlay asks for words."""
        return script(self.shape, self.events())

    def events(self) -> Iterator[str]:
        """The events of that file."""
        overlay = Overlay(self.overlay) if self.overlay else None
        if overlay is not None:
            yield from overlay.events(dict(self.words), self.tongue, self.shape, self.rate)
        if self.label and not (overlay and overlay.says(LABEL, self.shape)):
            yield from self._label()
        yield from self._captions()

    @property
    def _look(self) -> Look:
        return LOOKS[self.shape]

    @property
    def _letters(self) -> Letters:
        return Letters(self.tongue)

    @property
    def _letter(self) -> float:
        return self._look.letter * (1.1 if self.tongue.rtl else 1)  # Arabic letters are lower

    def _label(self) -> Iterator[str]:
        look, (full, _), end = self._look, SIZES[self.shape], self.seconds - CLEAR
        width, height = self._letters.width(self.label, look.label) + 52, look.label * 1.75
        x, y = look.label_at or (full - 48 - width / 2 if self.tongue.rtl else 48 + width / 2, 66)
        yield pill(x, y, width, height, end, self.rate)
        line = Inscription(self.label, self._letters, look.label, x, y + look.label * 0.35, opacity=0.92)
        yield line.shown(0, end, self.rate, r"\fad(0,300)", layer=1)

    def _captions(self) -> Iterator[str]:
        last = self.seconds - CLEAR
        for number, cue in enumerate(self.cues, 1):
            if cue.start / 1_000 < last:
                for line in self._placed(self._lines(number, cue)):
                    end = min(cue.end / 1_000, last)
                    yield line.shown(cue.start / 1_000, end, self.rate, OUTLINED + r"\fad(120,120)", layer=3)

    def _placed(self, lines: Sequence[str]) -> Iterator[Inscription]:
        """Each line in its place: typefaces allow for more or less space between lines, readers don't."""
        width, height = SIZES[self.shape]
        for above, line in enumerate(reversed(lines)):
            y = height - self._look.below - above * self._letter * (1.6 if self.tongue.rtl else 1.4)
            yield Inscription(line, self._letters, self._letter, width / 2, y)

    def _lines(self, number: int, cue: Cue) -> list[str]:
        """The caption's lines: as they were written where they fit, else broken anew."""
        look, lines = self._look, cue.text.split("\n")
        if any(self._width(line) > look.widest for line in lines):
            between = "" if self.tongue.tag.startswith("zh") else " "
            lines = wrap(between.join(lines), self.tongue, self._width, look.widest)
        if len(lines) > look.lines:
            raise CallError(
                f"Caption {number} in {self.tongue.tag} needs {len(lines)} lines in {self.shape}, where {look.lines} "
                "have room: make two of it."
            )
        return lines

    def _width(self, text: str) -> float:
        return self._letters.width(text, self._letter)
