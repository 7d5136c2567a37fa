"""QR codes read from pictures and films: what a person's phone would make of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import zxingcpp
from PIL import Image

from .frames import sampled

_KIND = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_SMALL = 900  # pixels of the shorter side: a smaller picture is read enlarged, too


class Code(NamedTuple):
    """A code's text, and the box in the picture that holds it: left, top, right, bottom."""

    text: str
    box: tuple[int, int, int, int]


def codes(picture: Image.Image) -> list[Code]:
    """All QR codes in a picture."""
    grey = picture.convert("L")
    found = _read(grey, 1)
    if not found and min(grey.size) < _SMALL:
        factor = -(-_SMALL // min(grey.size))
        size = (factor * grey.width, factor * grey.height)
        found = _read(grey.resize(size, Image.Resampling.BICUBIC), factor)
    return found


def codes_of_film(path: Path) -> Iterator[tuple[float, list[Code]]]:
    """The codes of a film's sampled pictures, by their times in seconds, the end first; CallError where it is none."""
    for seconds, picture in sampled(path):
        yield seconds, codes(picture)


def _read(picture: Image.Image, factor: int) -> list[Code]:
    found = []
    for each in zxingcpp.read_barcodes(picture, formats=_KIND):
        corners = each.position
        points = (corners.top_left, corners.top_right, corners.bottom_left, corners.bottom_right)
        across, down = [point.x // factor for point in points], [point.y // factor for point in points]
        found.append(Code(each.text, (min(across), min(down), max(across), max(down))))
    return found
