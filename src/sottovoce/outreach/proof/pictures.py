"""The parts of PNG and JPEG files that say something besides the picture."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from sottovoce.outreach.errors import CallError

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HARMLESS = {  # what draws the picture, and a C2PA manifest (caBX)
    "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "cHRM", "gAMA", "sBIT", "sRGB", "cICP", "bKGD", "pHYs", "hIST", "acTL",
    "fcTL", "fdAT", "caBX",
}  # fmt: skip
_APP, _APP_LAST, _COMMENT, _SCAN, _END = 0xE0, 0xEF, 0xFE, 0xDA, 0xD9
_JPEG_HARMLESS = {0xE0: b"JFIF\0", 0xEB: b"JP", 0xEE: b"Adobe"}  # the second: C2PA


def png_parts(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Name and content of each chunk that only tells something; CallError for what is no PNG."""
    if file.read(8) != _PNG:
        raise CallError("A picture is no PNG: it is damaged, or has a false name.")
    while len(head := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", head)
        content = file.read(size)
        file.read(4)  # the check sum
        if name.decode("latin-1") not in _PNG_HARMLESS:
            yield name.decode("latin-1"), content


def jpeg_parts(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Name and content of each segment before the picture's data that only tells something; CallError for no JPEG."""
    if file.read(2) != b"\xff\xd8":
        raise CallError("A picture is no JPEG: it is damaged, or has a false name.")
    while len(head := file.read(4)) == 4 and head[0] == 0xFF and head[1] not in (_SCAN, _END):
        content = file.read(max(0, struct.unpack(">H", head[2:])[0] - 2))
        if head[1] == _COMMENT:
            yield "comment", content
        elif _APP <= head[1] <= _APP_LAST and not content.startswith(_JPEG_HARMLESS.get(head[1], b"\0never")):
            yield f"APP{head[1] - _APP}", content
