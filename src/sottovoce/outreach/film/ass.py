"""Text that is burnt into pictures, in the words of ASS, which libass draws.

libass counts a size as the height of a line and not of a letter, and orders brackets in Persian rightly only with the
encoding -1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ..call import Shape
from .letters import Letters
from .sizes import SIZES

Anchor = Literal["start", "middle", "end"]  # which of its points x names, as in SVG; start is always the left one
_CORNERS: dict[Anchor, int] = {"start": 1, "middle": 2, "end": 3}
_FIELDS = (
    "Name,Fontname,Fontsize,PrimaryColour,SecondaryColour,OutlineColour,BackColour,Bold,Italic,Underline,StrikeOut,"
    "ScaleX,ScaleY,Spacing,Angle,BorderStyle,Outline,Shadow,Alignment,MarginL,MarginR,MarginV,Encoding"
)
_PLAIN = "Style: Plain,Noto Sans,40,&H00FFFFFF,&H00FFFFFF,&H18140C08,&H60000000,0,0,0,0,100,100,0,0,1,0,0,2,0,0,0,-1"
OUTLINED = r"\bord6\shad2\blur4"  # white on cream is read by its dark edge


@dataclass(frozen=True)
class Inscription:
    """A line in a picture: x and the line that its letters stand on, in pixels from the left upper corner."""

    text: str
    letters: Letters
    size: float
    x: float
    y: float
    anchor: Anchor = "middle"
    colour: str = "#ffffff"
    opacity: float = 1

    def shown(self, start: float, end: float, rate: int, tags: str = "", layer: int = 2) -> str:
        """The event that shows it from `start` to `end`, seconds, with more of libass's tags."""
        low = self.y + self.letters.own.reach[1] * self.size
        place = f"\\an{_CORNERS[self.anchor]}\\pos({self.x:.1f},{low:.1f})"
        face = f"\\fn{self.letters.own.family}\\fs{self.letters.line(self.size):.1f}\\b{int(self.letters.bold)}"
        look = f"\\1c{colour(self.colour)}\\1a{alpha(self.opacity)}"
        text = self.letters.ass(self.text, self.size)
        return event(start, end, rate, f"{{{place}{face}{look}{tags}}}{text}", layer)

    def fading(self, start: float, end: float, first: float, last: float, rate: int) -> str:
        """The event that shows it from one opacity to another."""
        to = f"\\t(0,{round(1_000 * (end - start))},\\1a{alpha(last)})" if first != last else ""
        return replace(self, opacity=first).shown(start, end, rate, to)


def script(shape: Shape, events: Iterable[str]) -> str:
    """A whole ASS file for pictures of a shape."""
    width, height = SIZES[shape]
    head = ["[Script Info]", "ScriptType: v4.00+", f"PlayResX: {width}", f"PlayResY: {height}", "WrapStyle: 2"]
    head += ["ScaledBorderAndShadow: yes", "YCbCr Matrix: TV.709", "", "[V4+ Styles]", f"Format: {_FIELDS}", _PLAIN]
    kinds = "Format: Layer,Start,End,Style,Name,MarginL,MarginR,MarginV,Effect,Text"
    return "\n".join([*head, "", "[Events]", kinds, *events, ""])


def event(start: float, end: float, rate: int, text: str, layer: int) -> str:
    """One event of an ASS file."""
    return f"Dialogue: {layer},{_time(start, rate)},{_time(end, rate)},Plain,,0,0,0,,{text}"


def _time(seconds: float, rate: int) -> str:
    """The time of the nearest frame, rounded down: so nothing waits for the next frame."""
    hundredths = int(round(seconds * rate) / rate * 100 + 1e-6)
    return f"{hundredths // 360_000}:{hundredths // 6_000 % 60:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"


def colour(of: str) -> str:
    """A colour #rgb or #rrggbb as libass names it: blue comes first."""
    full = "".join(2 * part for part in of[1:]) if len(of) == 4 else of[1:]
    return f"&H{full[4:6]}{full[2:4]}{full[0:2]}&".upper()


def alpha(opacity: float) -> str:
    """An opacity as libass names it: 0 is opaque."""
    return f"&H{round(255 * (1 - opacity)):02X}&"


def pill(x: float, y: float, width: float, height: float, until: float, rate: int) -> str:
    """A dark box with round ends, half transparent, its middle at x and y; it ends with a short fade."""
    wide, low, r = round(width), round(height), round(height) // 2
    k, right = round(r * 0.45), wide - r  # k: where the curves' handles end
    path = (
        f"m {r} 0 l {right} 0 b {wide - k} 0 {wide} {k} {wide} {r} b {wide} {low - k} {wide - k} {low} {right} {low} "
        f"l {r} {low} b {k} {low} 0 {low - k} 0 {r} b 0 {k} {k} 0 {r} 0"
    )
    at = f"\\an7\\pos({x - wide / 2:.0f},{y - low / 2:.0f})\\fad(0,300)"
    return event(0, until, rate, f"{{{at}\\bord0\\shad0\\1c&H140A06&\\1a&H80&\\p1}}{path}", 0)
