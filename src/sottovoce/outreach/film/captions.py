"""Captions and labels that are burnt into pictures, as ASS text that libass draws.

libass counts a size as the height of a line, not of a letter; breaks no Chinese; and orders brackets in Persian rightly
only with the encoding -1. So sizes are corrected by typeface, and lines are broken here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..call import Shape
from ..errors import CallError
from ..srt import Cue
from ..tongues import Tongue
from .letters import Letters
from .sizes import CLEAR, SIZES
from .wrap import wrap

_FIELDS = (
    "Name,Fontname,Fontsize,PrimaryColour,SecondaryColour,OutlineColour,BackColour,Bold,Italic,Underline,StrikeOut,"
    "ScaleX,ScaleY,Spacing,Angle,BorderStyle,Outline,Shadow,Alignment,MarginL,MarginR,MarginV,Encoding"
)
_OUTLINED = (
    "&H00FFFFFF,&H00FFFFFF,&H18140C08,&H60000000,-1,0,0,0,100,100,0,0,1,6,2,2"  # white, dark outline 6, shadow 2
)
_PLAIN = "&H14FFFFFF,&H14FFFFFF,&H00000000,&H00000000,-1,0,0,0,100,100,0,0,1,0,0,5"
_PILL = r"\an7\bord0\shad0\1c&H140A06&\1a&H80&\p1"


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
    """What is burnt into a body: a label all along, and captions; `seconds` is the body's time."""

    tongue: Tongue
    shape: Shape
    seconds: float
    rate: int
    label: str
    cues: Sequence[Cue] = ()

    def ass(self) -> str:
        """The file that libass draws; CallError where a caption has too many lines."""
        width, height = SIZES[self.shape]
        return "\n".join(
            [
                "[Script Info]", "ScriptType: v4.00+", f"PlayResX: {width}", f"PlayResY: {height}", "WrapStyle: 2",
                "ScaledBorderAndShadow: yes", "YCbCr Matrix: TV.709", "", "[V4+ Styles]", f"Format: {_FIELDS}",
                self._style("Caption", self._letter, _OUTLINED),
                self._style("Label", self._look.label, _PLAIN), "", "[Events]",
                "Format: Layer,Start,End,Style,Name,MarginL,MarginR,MarginV,Effect,Text",
                *self._label(), *self._captions(), "",
            ]
        )  # fmt: skip

    @property
    def _look(self) -> Look:
        return LOOKS[self.shape]

    @property
    def _letters(self) -> Letters:
        return Letters(self.tongue)

    @property
    def _letter(self) -> float:
        return self._look.letter * (1.1 if self.tongue.rtl else 1)  # Arabic letters are lower

    def _style(self, name: str, letter: float, look: str) -> str:
        size = self._letters.line(letter)
        return f"Style: {name},{self.tongue.sans},{size:.1f},{look},0,0,0,-1"

    def _label(self) -> Iterator[str]:
        if not self.label:
            return
        look, (full, _) = self._look, SIZES[self.shape]
        width, height = self._letters.width(self.label, look.label) + 52, round(look.label * 1.75)
        beside = full - 48 - width / 2 if self.tongue.rtl else 48 + width / 2
        x, y = look.label_at or (round(beside), 66)
        left = f"\\pos({x - round(width / 2)},{y - height // 2})"
        yield self._event(
            0, 0, self.seconds - CLEAR, "Label", f"{{{_PILL}{left}\\fad(0,300)}}{_pill(round(width), height)}"
        )
        text = self._letters.ass(self.label, look.label)
        yield self._event(1, 0, self.seconds - CLEAR, "Label", f"{{\\pos({x},{y})\\fad(0,300)}}{text}")

    def _captions(self) -> Iterator[str]:
        last = self.seconds - CLEAR
        for number, cue in enumerate(self.cues, 1):
            if cue.start / 1_000 >= last:
                continue
            for line, y in self._placed(self._lines(number, cue)):
                at = f"{{\\an2\\pos({SIZES[self.shape][0] // 2},{y:.0f})\\blur4\\fad(120,120)}}"
                text = at + self._letters.ass(line, self._letter)
                yield self._event(2, cue.start / 1_000, min(cue.end / 1_000, last), "Caption", text)

    def _placed(self, lines: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Each line with its lower edge: typefaces allow for more or less below and between, readers don't."""
        lowest = SIZES[self.shape][1] - self._look.below + self._letters.own.reach[1] * self._letter
        for above, line in enumerate(reversed(lines)):
            yield line, lowest - above * self._letter * (1.6 if self.tongue.rtl else 1.4)

    def _lines(self, number: int, cue: Cue) -> list[str]:
        """The caption's lines: as they were written where they fit, else broken anew."""
        look, lines = self._look, cue.text.split("\n")
        if any(self._letters.width(line, self._letter) > look.widest for line in lines):
            between = "" if self.tongue.tag.startswith("zh") else " "
            lines = wrap(
                between.join(lines), self.tongue, lambda text: self._letters.width(text, self._letter), look.widest
            )
        if len(lines) > look.lines:
            raise CallError(
                f"Caption {number} in {self.tongue.tag} needs {len(lines)} lines in {self.shape}, where {look.lines} "
                "have room: make two of it."
            )
        return lines

    def _event(self, layer: int, start: float, end: float, style: str, text: str) -> str:
        return f"Dialogue: {layer},{self._time(start)},{self._time(end)},{style},,0,0,0,,{text}"

    def _time(self, seconds: float) -> str:
        """The time of the nearest frame, rounded down: so nothing waits for the next frame."""
        hundredths = int(round(seconds * self.rate) / self.rate * 100 + 1e-6)
        return (
            f"{hundredths // 360_000}:{hundredths // 6_000 % 60:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"
        )


def _pill(width: int, height: int) -> str:
    """A round-ended box, as libass draws it."""
    r = height // 2
    k = round(r * 0.45)  # where the curves' handles end
    right, low = width - r, height
    return (
        f"m {r} 0 l {right} 0 b {width - k} 0 {width} {k} {width} {r} "
        f"b {width} {low - k} {width - k} {low} {right} {low} l {r} {low} b {k} {low} 0 {low - k} 0 {r} "
        f"b 0 {k} {k} 0 {r} 0"
    )
