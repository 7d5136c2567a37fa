"""QR codes read from pictures and films: what a person's phone would make of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import zxingcpp
from PIL import Image, ImageOps

from .frames import sampled

_KIND = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_LIGHT = 240
Box = tuple[int, int, int, int]
_SMALL = 900  # pixels of the shorter side: a smaller picture is read enlarged, too
_SIDE_MOST = 32_000  # pixels: zxing takes no more
_LARGEST = 8  # times: modules of one pixel can be read then, and smaller ones are none


class Code(NamedTuple):
    """A code's text, and the box in the picture that holds it: left, top, right, bottom."""

    text: str
    box: Box


def codes(picture: Image.Image) -> list[Code]:
    """All QR codes in a picture."""
    grey = picture.convert("L")
    found = _read(grey)
    if found:
        return found
    # A cropped copy may have lost the light border that a reader needs; a small one has modules of two pixels.
    edge = max(8, min(grey.size) // 30)
    wide = ImageOps.expand(grey, border=edge, fill=_LIGHT)
    factor = max(1, min(_LARGEST, -(-_SMALL // min(grey.size)), _SIDE_MOST // max(wide.size)))
    wide = wide.resize((factor * wide.width, factor * wide.height), Image.Resampling.BICUBIC)
    return [Code(text, _inside(box, factor, edge, grey.size)) for text, box in _read(wide)]


def _inside(box: Box, factor: int, edge: int, size: tuple[int, int]) -> Box:
    """A box of the enlarged picture with its border, as one of the picture itself."""
    left, top, right, bottom = (max(0, each // factor - edge) for each in box)
    return left, top, min(right, size[0]), min(bottom, size[1])


def codes_of_film(path: Path) -> Iterator[tuple[float, list[Code]]]:
    """The codes of a film's sampled pictures, by their times in seconds, the end first; CallError where it is none."""
    for seconds, picture in sampled(path):
        yield seconds, codes(picture)


def _read(picture: Image.Image) -> list[Code]:
    found = []
    for each in zxingcpp.read_barcodes(picture, formats=_KIND):
        corners = each.position
        points = (corners.top_left, corners.top_right, corners.bottom_left, corners.bottom_right)
        across, down = [point.x for point in points], [point.y for point in points]
        found.append(Code(each.text, (min(across), min(down), max(across), max(down))))
    return found
