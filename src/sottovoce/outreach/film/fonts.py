"""Typefaces: which file holds one, and how wide a text is in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import ImageFont

from ..errors import CallError
from ..tongues import TONGUES, Tongue
from .run import run

MONO = "DejaVu Sans Mono"
LATIN = "Noto Sans"
_UNIT = 1_000  # pixels at which widths are measured
_REGULAR, _BOLD = "80", "200"  # as fontconfig counts weights


@dataclass(frozen=True)
class Face:
    """A family's regular or bold typeface: its file, and its number in it."""

    family: str
    bold: bool
    file: Path
    index: int

    def width(self, text: str, size: float) -> float:
        """How many pixels a line of text takes at a size in pixels; shaped as it will be shown."""
        return _font(self).getlength(text) * size / _UNIT

    @property
    def reach(self) -> tuple[float, float]:
        """How far its letters may reach above and below the line they stand on, for a size of 1."""
        above, below = _font(self).getmetrics()
        return above / _UNIT, below / _UNIT


@cache
def face(family: str, *, bold: bool = False) -> Face:
    """The typeface of a family; CallError where it isn't installed, since another one would be shown silently."""
    at = _installed().get((family, _BOLD if bold else _REGULAR))
    if at is None:
        package = "fonts-noto-cjk" if "CJK" in family else "fonts-noto-core fonts-dejavu-core"
        raise CallError(f"The typeface {family} is not installed: run `apt-get install {package}`.")
    return Face(family, bold, *at)


@cache
def _installed() -> dict[tuple[str, str], tuple[Path, int]]:
    shown = "%{family}\t%{weight}\t%{slant}\t%{width}\t%{file}\t%{index}\n"
    lines = sorted(run("fc-list", "-f", shown, ":").stdout.decode("utf-8", "replace").splitlines())
    parts = [line.split("\t") for line in lines]
    upright = [part for part in parts if part[2:4] == ["0", "100"]]  # neither slanted nor condensed
    return {(name, part[1]): (Path(part[4]), int(part[5])) for part in upright for name in part[0].split(",")}


@cache
def _font(of: Face) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(of.file), _UNIT, index=of.index)


def files(tongues: tuple[Tongue, ...] = tuple(TONGUES.values())) -> tuple[Path, ...]:
    """The font files of languages: what is drawn with them changes when they do."""
    families = {MONO, LATIN} | {tongue.sans for tongue in tongues} | {tongue.serif for tongue in tongues}
    return tuple(sorted({face(family, bold=bold).file for family in families for bold in (False, True)}))
