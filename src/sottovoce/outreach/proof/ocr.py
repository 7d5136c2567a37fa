"""Text read from pictures by tesseract, as far as it can be an address."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from sottovoce.outreach.errors import CallError

from .qr import Code

FILM_SIDES, PAGE_SIDES = (480, 800), (640, 1240)  # pixels of the shorter side: letters are read best when 25 to 40 high
_MARGIN = 0.02  # of a code's width, around it
_SECONDS = 120


def texts(picture: Image.Image, codes: Sequence[Code], sides: Sequence[int]) -> list[str]:
    """What is read in a picture, once for each size; codes are painted over, since they are taken for letters."""
    plain = _without(picture.convert("L"), codes)
    return [_read(_sized(plain, side)) for side in sides]


def _without(picture: Image.Image, codes: Sequence[Code]) -> Image.Image:
    plain = picture.copy()
    for code in codes:
        left, top, right, bottom = code.box
        margin = int((right - left) * _MARGIN) + 3
        ground = plain.getpixel((max(0, left - 2 * margin), max(0, top - 2 * margin)))
        ImageDraw.Draw(plain).rectangle((left - margin, top - margin, right + margin, bottom + margin), fill=ground)
    return plain


def _sized(picture: Image.Image, side: int) -> Image.Image:
    factor = side / min(picture.size)
    size = (round(picture.width * factor), round(picture.height * factor))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _read(picture: Image.Image) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        picture.save(path, compress_level=1)
        command = ["tesseract", str(path), "-", "--psm", "11", "-l", "eng"]
        alone = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # its threads cost more than they bring
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS, env=alone)  # noqa: S603
        except FileNotFoundError:
            raise CallError("tesseract is missing: run `tools/setup call` on this machine first.") from None
        except subprocess.TimeoutExpired:
            return ""
    return done.stdout.decode("utf-8", "replace")
