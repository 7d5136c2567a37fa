"""QR codes read from pictures: what a person's phone would make of them."""

from __future__ import annotations

import zxingcpp
from PIL import Image

_KIND = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_SMALL = 900  # pixels of the shorter side: a smaller picture is read enlarged, too


def codes(picture: Image.Image) -> list[str]:
    """The texts of all QR codes in a picture, each once."""
    grey = picture.convert("L")
    found = _read(grey)
    if not found and min(grey.size) < _SMALL:
        factor = -(-_SMALL // min(grey.size))
        found = _read(grey.resize((factor * grey.width, factor * grey.height), Image.Resampling.BICUBIC))
    return list(dict.fromkeys(found))


def _read(picture: Image.Image) -> list[str]:
    return [each.text for each in zxingcpp.read_barcodes(picture, formats=_KIND)]
