"""Pictures and drawings of a call: that they are some, fetch and run nothing, and don't tell who made them."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ..proof.qr import codes

_SVG = "{http://www.w3.org/2000/svg}"
_ACTIVE = {"script", "foreignObject", "iframe", "handler", "listener", "audio", "video", "image"}
_HREF = re.compile(r"(?:\{.*\})?href")
_URL = re.compile(r"url\(\s*['\"]?(?!#)|@import")
_EDITORS = re.compile(r"inkscape|sodipodi|adobe|sketch|figma|corel", re.IGNORECASE)
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KNOWN = {  # what makes the picture; the rest tells of its making
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs", b"cICP",
}  # fmt: skip
_JPEG_TOLD = {0xE1: "Exif or XMP", 0xED: "IPTC", 0xFE: "a comment"}
_JPEG_KNOWN = {0xE0, 0xEE}  # JFIF, and how Adobe's colours are meant


def picture_faults(path: Path) -> Iterator[str]:
    """What is wrong with a picture, as "has …: do …"; nothing where all is right."""
    raw = path.read_bytes()
    if path.suffix.lower() == ".svg":
        yield from _svg(raw)
    elif raw.startswith(_PNG):
        yield from _raster(path, sorted({name.decode("ascii", "replace") for name in _chunks(raw)}))
    elif raw.startswith(b"\xff\xd8\xff"):
        yield from _raster(path, sorted(set(_segments(raw))))
    else:
        yield "is no SVG, PNG or JPEG: save it as one of them"


def texts_of(path: Path) -> list[str]:
    """The words in a drawing; none where it can't be read."""
    try:
        root = ET.fromstring(path.read_bytes())  # noqa: S314 one with entities is refused by picture_faults
    except (ET.ParseError, OSError):
        return []
    return [" ".join("".join(each.itertext()).split()) for each in root.iter(f"{_SVG}text")]


def codes_in(path: Path) -> list[str]:
    """What the QR codes in a PNG or JPEG say; drawings are looked at when they are built."""
    if path.suffix.lower() == ".svg":
        return []
    with Image.open(path) as image:
        return [code.text for code in codes(image)]


def _svg(raw: bytes) -> Iterator[str]:
    text = raw.decode("utf-8", "replace")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        yield "has a DOCTYPE, which can fetch other files: take that line out"
        return
    try:
        root = ET.fromstring(text)  # noqa: S314 without entities
    except ET.ParseError as error:
        yield f"is not valid SVG ({error}): save it anew"
        return
    if root.tag != f"{_SVG}svg":
        yield "is no SVG drawing: save it as one"
        return
    yield from dict.fromkeys(fault for element in root.iter() for fault in _element(element))


def _element(element: ET.Element) -> Iterator[str]:
    name = element.tag.rpartition("}")[2]
    if name in _ACTIVE or any(key.rpartition("}")[2].startswith("on") for key in element.attrib):
        yield f"has something in it that runs or embeds (<{name}>): draw it with shapes only"
    for key, value in element.attrib.items():
        if (_HREF.fullmatch(key) and not value.startswith("#")) or _URL.search(value):
            yield f"refers to something outside itself (“{value[:60]}”): put it into the drawing"
    if name == "style" and _URL.search(element.text or ""):
        yield "refers to something outside itself in its <style>: put it into the drawing"
    if name == "metadata" or any(_EDITORS.search(key) for key in (element.tag, *element.attrib)):
        yield "carries notes of the program that drew it, which can hold names and paths: save it as plain SVG"


def _chunks(raw: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while at + 8 <= len(raw):
        size, name = struct.unpack_from(">I4s", raw, at)
        if name not in _PNG_KNOWN:
            yield name
        at += size + 12


def _segments(raw: bytes) -> Iterator[str]:
    at = 2
    while at + 4 <= len(raw) and raw[at] == 0xFF and raw[at + 1] != 0xDA:  # after it, the picture itself
        mark, size = raw[at + 1], struct.unpack_from(">H", raw, at + 2)[0]
        if mark in _JPEG_TOLD or (0xE0 <= mark <= 0xEF and mark not in _JPEG_KNOWN):
            yield _JPEG_TOLD.get(mark, f"APP{mark - 0xE0}")
        at += size + 2
    if raw[raw.rfind(b"\xff\xd9") + 2 :].strip(b"\0"):
        yield "bytes after its end"


def _raster(path: Path, told: list[str]) -> Iterator[str]:
    if told:
        yield f"carries data beside the picture ({', '.join(told)}), which can hold names and places: remove them"
    try:
        with Image.open(path) as image:
            image.verify()
    except (OSError, SyntaxError, ValueError):
        yield "can't be read as a picture: save it anew"
