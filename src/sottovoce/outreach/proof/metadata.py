"""What a file tells besides what it shows: device, place, names, times.

Whatever is not known to be harmless is found.
"""

from __future__ import annotations

import base64
import io
import mmap
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from sottovoce.outreach.errors import CallError

from .pictures import jpeg_parts, png_parts
from .programs import probe, said_by

_SHOWN = 80  # letters of a value that a person is shown
_BURIED = (b"Exif\0\0", b"<x:xmpmeta", b"http://ns.adobe.com/xap/1.0/\0")  # in whatever file they are
_HARMLESS = {  # tags of films by name, and what they may say
    "major_brand": r".*", "minor_version": r".*", "compatible_brands": r".*", "language": r"[a-z]{3}",
    "encoder": r"Lavc \w+",  # without its version
    "vendor_id": r"\[0\]\[0\]\[0\]\[0\]",
    "handler_name": r"VideoHandler|SoundHandler|SubtitleHandler|ISO Media file.*",
}  # fmt: skip
_STREAMS = ("video", "audio", "subtitle")
_PDF_HARMLESS = {"Title": r".*", "Subject": r".*", "Producer": r"WeasyPrint [\d.]+"}
_PDF_INFO = re.compile(
    r"^(Title|Subject|Keywords|Author|Creator|Producer|CreationDate|ModDate):\s+(\S.*)$", re.MULTILINE
)
_MARKUP = re.compile(
    r"<(?:metadata|rdf:RDF|dc:\w+|cc:\w+)\b[^>]*>|(?:sodipodi|inkscape):(?:docname|export-filename|version)=\"[^\"]*\""
    r"|<meta\s+name=[\"']?(?:author|creator|date|generator)\b[^>]*>|<!--.*?-->",
    re.DOTALL | re.IGNORECASE,
)
_INLINE = re.compile(rb"data:(image/(?:png|jpeg));base64,([A-Za-z0-9+/=\s]+)")


_Parts = Callable[[BinaryIO], Iterator[tuple[str, bytes]]]


class Trace(NamedTuple):
    """One thing that is left: where in the file, and what it says."""

    where: str
    says: str


def traces(path: Path) -> list[Trace]:
    """All that is left in a film, picture, PDF, drawing, page or ZIP; CallError where the file isn't of its kind."""
    kind = path.suffix.lower()
    found = list(_KINDS[kind](path)) if kind in _KINDS else []
    return [Trace(where, says[:_SHOWN]) for where, says in dict.fromkeys([*found, *_buried(path)])]


def _film(path: Path) -> Iterator[Trace]:
    said = probe(path)
    yield from _tags("film", said["format"].get("tags", {}))
    for number, stream in enumerate(said["streams"]):
        where = f"stream {number}"
        if stream["codec_type"] not in _STREAMS or stream.get("disposition", {}).get("attached_pic"):
            yield Trace(where, f"a stream of {stream['codec_type']}, which no player shows")
        yield from _tags(where, stream.get("tags", {}))
    for chapter in said.get("chapters", ()):
        yield from _tags("chapter", chapter.get("tags", {}))


def _tags(where: str, tags: Mapping[str, Any]) -> Iterator[Trace]:
    for name, value in tags.items():
        if not re.fullmatch(_HARMLESS.get(name, ""), value):
            yield Trace(f"{where}, {name}", value)


def _pdf(path: Path) -> Iterator[Trace]:
    info = said_by("pdfinfo", path).decode("utf-8", "replace")
    for name, value in _PDF_INFO.findall(info):
        if not re.fullmatch(_PDF_HARMLESS.get(name, ""), value):
            yield Trace(name, value)
    if said := said_by("pdfinfo", "-meta", path).decode("utf-8", "replace").strip():
        yield Trace("XMP", said)


def _markup(path: Path) -> Iterator[Trace]:
    raw = path.read_bytes()
    text = raw.decode("utf-8", "replace")
    yield from (Trace("markup", " ".join(found.split())) for found in _MARKUP.findall(text))
    for number, (kind, inline) in enumerate(_INLINE.findall(raw), 1):
        parts = {b"image/png": png_parts, b"image/jpeg": jpeg_parts}[kind]
        yield from _picture_traces(f"picture {number}, ", io.BytesIO(base64.b64decode(inline)), parts)


def _zip(path: Path) -> Iterator[Trace]:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.comment:
                yield Trace("comment", archive.comment.decode("utf-8", "replace"))
            for each in archive.infolist():
                if any(each.date_time[3:]):
                    yield Trace(f"{each.filename}, time", "{}-{:02}-{:02} {:02}:{:02}:{:02}".format(*each.date_time))
                if each.extra or each.comment:
                    yield Trace(f"{each.filename}, more", (each.extra + each.comment).hex())
                yield from _inside(archive, each)
    except zipfile.BadZipFile:
        raise CallError(f"{path} is no ZIP: it is damaged.") from None


def _inside(archive: zipfile.ZipFile, each: zipfile.ZipInfo) -> Iterator[Trace]:
    """What is left in a file of a ZIP; it is taken out to be looked at."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"file{Path(each.filename).suffix}"
        made.write_bytes(archive.read(each))
        yield from (Trace(f"{each.filename}, {found.where}", found.says) for found in traces(made))


def _picture_traces(where: str, file: BinaryIO, parts: _Parts) -> Iterator[Trace]:
    for name, content in parts(file):
        yield Trace(where + name, content.decode("latin-1"))


def _picture(parts: _Parts) -> Callable[[Path], Iterator[Trace]]:
    def look(path: Path) -> Iterator[Trace]:
        with path.open("rb") as file:
            yield from _picture_traces("", file, parts)

    return look


def _buried(path: Path) -> Iterator[Trace]:
    """Marks of Exif and XMP anywhere, as in a picture inside a PDF."""
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for mark in _BURIED:
            if (at := content.find(mark)) >= 0:
                yield Trace(f"byte {at}", mark.decode("latin-1").strip("\0"))


_KINDS: Mapping[str, Callable[[Path], Iterator[Trace]]] = {
    **dict.fromkeys((".mp4", ".mov", ".m4v", ".m4a", ".webm", ".mkv", ".wav", ".mp3"), _film),
    ".png": _picture(png_parts), ".jpg": _picture(jpeg_parts), ".jpeg": _picture(jpeg_parts),
    ".pdf": _pdf, ".svg": _markup, ".html": _markup, ".zip": _zip,
}  # fmt: skip
