"""What moves in a drawing: the data-* attributes of one element, as the transform and opacity it has at a time.

    data-depth="p"            how far the camera moves it: 0 not at all, 1 the subject, more than 1 what is near
    data-x, data-y, data-opacity, data-scale="t:v t:v"   values at seconds; between them slow, fast, slow
    data-pivot="x y"          about what data-scale scales    data-tilt="degrees"   a turn that stays
    data-swing="degrees hertz phase x y"   to and fro about a point      data-wave="pixels seconds"   to and fro along x
    data-pulse="share seconds"             a flicker, as of a candle     data-only="9x16"   shapes that show it

x alone, with two values, moves evenly: something that drives or walks through.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from ..call import Shape
from .camera import View, ease

_MARK = "data-"
_COUNTS = {"depth": 1, "tilt": 1, "pivot": 2, "swing": 5, "wave": 2, "pulse": 2}
_TRACKS = ("x", "y", "opacity", "scale")
Track = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Motion:
    """One element's movements, and the transform and opacity that it has without them."""

    values: dict[str, tuple[float, ...]]
    tracks: dict[str, Track]
    only: tuple[str, ...]
    transform: str
    opacity: float

    def transform_at(self, t: float, view: View) -> str:
        """The element's transform at `t` seconds, seen by a camera."""
        parts = [*self._camera(view), *self._place(t)]
        if "swing" in self.values:
            degrees, hertz, phase, x, y = self.values["swing"]
            parts.append(f"rotate({degrees * math.sin(math.tau * (hertz * t + phase)):.4f} {x:g} {y:g})")
        if "scale" in self.tracks:
            x, y = self.values.get("pivot", (0, 0))
            size = at(self.tracks["scale"], t)
            parts.append(f"translate({x:g} {y:g}) scale({size:.5f}) translate({-x:g} {-y:g})")
        return " ".join([*parts, self.transform]).strip()

    def _camera(self, view: View) -> list[str]:
        if "depth" not in self.values:
            return []
        (depth,) = self.values["depth"]
        x, y = 0 - view.x * depth, 0 - view.y * depth  # never "-0.0000"
        return [f"scale({1 + (view.zoom - 1) * depth:.6f}) translate({x:.4f} {y:.4f})"]

    def _place(self, t: float) -> list[str]:
        even = len(self.tracks.get("x", ())) == 2 and "y" not in self.tracks
        x = at(self.tracks.get("x", ()), t, _even if even else ease)
        y = at(self.tracks.get("y", ()), t)
        if "wave" in self.values:
            width, seconds = self.values["wave"]
            x += width * math.sin(math.tau * t / seconds)
        tilt = [f"rotate({self.values['tilt'][0]:g})"] if "tilt" in self.values else []
        return tilt + ([f"translate({x:.4f} {y:.4f})"] if x or y else [])

    def opacity_at(self, t: float) -> float:
        """The element's opacity at `t` seconds."""
        opacity = self.opacity * (at(self.tracks["opacity"], t) if "opacity" in self.tracks else 1)
        if "pulse" in self.values:
            share, seconds = self.values["pulse"]
            turn = math.tau * t / seconds
            opacity *= 1 - share * (0.5 + 0.5 * math.sin(turn) * math.sin(turn * 0.37 + 1))
        return opacity

    def shown(self, shape: Shape, *, own_square: bool) -> bool:
        """Whether a shape shows the element; a square shows what the wide shape does, unless it has some of its own."""
        asked = "16x9" if shape == "1x1" and not own_square else shape
        return not self.only or asked in self.only


def at(track: Track, t: float, between: Callable[[float], float] = ease) -> float:
    """A track's value at a time; 0 for an empty one."""
    if not track:
        return 0
    if t <= track[0][0]:
        return track[0][1]
    for (a, start), (b, end) in pairwise(track):
        if t < b:
            return start + (end - start) * between((t - a) / (b - a))
    return track[-1][1]


def _even(u: float) -> float:
    return u


def take_motion(element: ET.Element) -> Motion | None:
    """Takes an element's data-* attributes away, as its motion; None where it has none. ValueError names a bad one."""
    marked = [name for name in element.attrib if name.startswith(_MARK)]
    texts = {name.removeprefix(_MARK): element.attrib.pop(name) for name in marked}
    if not texts:
        return None
    values = {name: _numbers(name, texts.pop(name)) for name in _COUNTS if name in texts}
    tracks = {name: _track(name, texts.pop(name)) for name in _TRACKS if name in texts}
    only = tuple(texts.pop("only", "").split())
    if texts:
        raise ValueError(f"{_MARK}{next(iter(texts))} is not known")
    return Motion(values, tracks, only, element.get("transform", ""), float(element.get("opacity", "1")))


def _numbers(name: str, text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split())
    except ValueError:
        values = ()
    if len(values) != _COUNTS[name]:
        raise ValueError(f'{_MARK}{name}="{text}" must have numbers: {_COUNTS[name]}')
    return values


def _track(name: str, text: str) -> Track:
    try:
        keys = [tuple(float(part) for part in key.split(":")) for key in text.split()]
        track = tuple((t, value) for t, value in keys)
    except ValueError:
        track = ()
    if not track or [t for t, _ in track] != sorted({t for t, _ in track}):
        raise ValueError(f'{_MARK}{name}="{text}" must have seconds and values, as 0:0 1.5:40, in the order of time')
    return track
