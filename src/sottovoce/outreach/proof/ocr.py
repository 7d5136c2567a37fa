"""Text read from pictures by tesseract, as far as it can be an address."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageDraw

from sottovoce.outreach.errors import CallError

from .qr import Code

FILM_SIDES, PAGE_SIDES = (480, 800), (640, 1240)  # pixels of the shorter side: letters are read best when 25 to 40 high
_LONGEST = 10_000  # pixels of the longer side
_MARGIN = 0.02  # of a code's width, around it
_SECONDS = 120  # for a picture


def texts(pictures: Sequence[tuple[Image.Image, Sequence[Code]]], sides: Sequence[int]) -> list[list[str]]:
    """What is read in each picture, once for each size; codes are painted over, since they are taken for letters."""
    sized = [_sized(plain, side) for picture in pictures for plain in [_without(*picture)] for side in sides]
    cores = os.cpu_count() or 1
    share = -(-len(sized) // cores) or 1
    with ThreadPoolExecutor(cores) as pool:
        shares = pool.map(_read, (sized[at : at + share] for at in range(0, len(sized), share)))
        read = [text for each in shares for text in each]
    return [read[at : at + len(sides)] for at in range(0, len(read), len(sides))]


def _without(picture: Image.Image, codes: Sequence[Code]) -> Image.Image:
    plain = picture.convert("L")  # another picture, whatever it was
    for code in codes:
        left, top, right, bottom = code.box
        margin = int((right - left) * _MARGIN) + 3
        ground = plain.getpixel((max(0, left - 2 * margin), max(0, top - 2 * margin)))
        ImageDraw.Draw(plain).rectangle((left - margin, top - margin, right + margin, bottom + margin), fill=ground)
    return plain


def _sized(picture: Image.Image, side: int) -> Image.Image:
    factor = min(side / min(picture.size), _LONGEST / max(picture.size))  # a thin one would fill the memory
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _read(pictures: Sequence[Image.Image]) -> list[str]:
    """What is read in each picture, by one run: its start takes as long as a picture."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.png" for number in range(len(pictures))]
        for picture, path in zip(pictures, paths, strict=True):
            picture.save(path, compress_level=1)
        (listed := Path(folder) / "list.txt").write_text("\n".join(map(str, paths)), "utf-8")
        command = ["tesseract", str(listed), "-", "--psm", "11", "-l", "eng"]
        alone = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # its threads cost more than they bring
        most = _SECONDS * len(pictures)
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=most, env=alone)  # noqa: S603
        except FileNotFoundError:
            raise CallError("tesseract is missing: run `tools/setup call` on this machine first.") from None
        except subprocess.TimeoutExpired:
            return [""] * len(pictures)
    said = done.stdout.decode("utf-8", "replace").split("\f")
    return [*said, *[""] * len(pictures)][: len(pictures)]
