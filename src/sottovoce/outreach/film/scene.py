"""A scene: a drawing whose parts move, or a picture; what is seen of it at a time is a text, and nothing else.

A drawing's origin is the centre: 16x9 sees x ±960 and y ±540, 9x16 sees x ±540 and y ±960. What matters lies in the
square ±540 that all shapes see.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from PIL import Image, ImageOps, UnidentifiedImageError

from ..call import Shape
from ..errors import CallError
from .camera import View
from .motion import Motion, take_motion
from .outline import SVG, outline, written
from .sizes import SIZES

_PICTURES = {".png", ".jpg", ".jpeg"}


class Drawing:
    """A drawing with its movements. Not to be shared between threads."""

    def __init__(self, root: ET.Element) -> None:
        """Takes a parsed drawing; ValueError for a movement that is none."""
        outline(root)
        self._root = root
        found = [(element, take_motion(element)) for element in root.iter()]
        self._movers: list[tuple[ET.Element, Motion]] = [(each, motion) for each, motion in found if motion is not None]
        self.own_square = any("1x1" in motion.only for _, motion in self._movers)

    @classmethod
    def of(cls, svg: str) -> Drawing:
        """A drawing from its text, made by this program."""
        return cls(ET.fromstring(svg))  # noqa: S314 made here

    def text(self, t: float, view: View, shape: Shape) -> str:
        """The SVG of what a shape sees at `t` seconds since the scene began."""
        for element, motion in self._movers:
            self._set(element, "display", "" if motion.shown(shape, own_square=self.own_square) else "none")
            self._set(element, "transform", motion.transform_at(t, view))
            opacity = motion.opacity_at(t)
            self._set(element, "opacity", f"{opacity:.4f}" if opacity < 1 else "")
        width, height = SIZES[shape]
        self._root.attrib |= {"viewBox": _view_box(shape), "width": str(width), "height": str(height)}
        return written(self._root)

    @staticmethod
    def _set(element: ET.Element, name: str, value: str) -> None:
        if value:
            element.set(name, value)
        else:
            element.attrib.pop(name, None)


class Place(NamedTuple):
    """Where a picture's left upper corner stands in a frame, and the size of one of its pixels."""

    x: float
    y: float
    scale: float


@dataclass(frozen=True)
class Picture:
    """A photograph or painting: it fills the shape at zoom 1, and the camera never leaves it."""

    image: Image.Image
    name: str

    def place(self, view: View, shape: Shape) -> Place:
        """Where it stands in a frame for a camera; the centre is the origin, as in drawings."""
        size, full = SIZES[shape], self.image.size
        scale = max(side / own for side, own in zip(size, full, strict=True)) * max(view.zoom, 1)
        x, y = (
            min(0.0, max(side - own * scale, (side - own * scale) / 2 - centre * max(view.zoom, 1)))
            for side, own, centre in zip(size, full, view[:2], strict=True)
        )
        return Place(x, y, scale)

    def text(self, _t: float, view: View, shape: Shape) -> str:
        """What a shape sees, in the words of SVG."""
        x, y, scale = self.place(view, shape)
        (width, height), (w, h) = SIZES[shape], self.image.size
        image = f"<image href={quoteattr(self.name)} width='{w}' height='{h}'"
        return (
            f"<svg xmlns='{SVG}' width='{width}' height='{height}'>"
            f"{image} transform='translate({x:.3f} {y:.3f}) scale({scale:.6f})'/></svg>"
        )


def read_scene(path: Path) -> Drawing | Picture:
    """A scene's file: SVG, PNG or JPEG; CallError with one sentence where it is none of them."""
    if path.suffix.lower() not in _PICTURES:
        try:
            return Drawing(parse(path))
        except ValueError as error:
            raise CallError(f"{path} doesn't fit, mend it: {error}.") from None
    try:
        with Image.open(path) as opened:
            return Picture(ImageOps.exif_transpose(opened).convert("RGB"), path.name)
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, UnidentifiedImageError):
        raise CallError(f"{path} is no picture: save it as PNG or JPEG.") from None


def parse(path: Path) -> ET.Element:
    """An SVG file's elements; CallError where it is none."""
    try:
        return ET.fromstring(path.read_text("utf-8"))  # noqa: S314 the call's own file
    except FileNotFoundError:
        raise _missing(path) from None
    except (ET.ParseError, UnicodeDecodeError):
        raise CallError(f"{path} is no drawing: save it as plain SVG.") from None


def _missing(path: Path) -> CallError:
    return CallError(f"{path} is missing: put it there, or take it out of the storyboard.")


def _view_box(shape: Shape) -> str:
    width, height = SIZES[shape]
    return f"{-width // 2} {-height // 2} {width} {height}"
