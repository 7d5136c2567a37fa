"""What a page in HTML, or a text, shows: as every reader may take it, with pictures and drawings that stand in it."""

from __future__ import annotations

import base64
import codecs
import html
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from .programs import said_by

_SVG = re.compile(r"<(/?)svg\b[^>]*>", re.IGNORECASE)
_INLINE = re.compile(r"data:(image/[a-z+.-]+)((?:;[^,;\"'\s]*)*),([^\"')\s>]+)", re.IGNORECASE)
_TAGS = re.compile(r"<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def decoded(raw: bytes) -> str:
    """A page's text, by the mark at its beginning where there is one."""
    utf_16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return raw.decode("utf-16" if utf_16 else "utf-8", "replace")


def variants(text: str) -> Iterator[str]:
    """The text as it stands, and what is left of it without its marks."""
    yield text
    yield html.unescape(text)
    yield html.unescape(_TAGS.sub("", text))
    yield urllib.parse.unquote(html.unescape(text))


def _drawings(text: str) -> Iterator[str]:
    """The drawings that stand in a page, each with those within it."""
    depth, begin = 0, 0
    for tag in _SVG.finditer(text):
        if tag[1]:
            depth = max(0, depth - 1)
            if depth == 0:
                yield text[begin : tag.end()]
        else:
            begin = begin if depth else tag.start()
            depth += 1


def inline(text: str, folder: Path, unread: list[str]) -> Iterator[Path]:
    """The pictures that stand in a page, drawings as pixels; `unread` gets what can't be drawn."""
    drawings = [each.encode() for each in _drawings(text)]
    for number, (kind, packed, content) in enumerate(_INLINE.findall(text)):
        raw = _unpacked(content, packed="base64" in packed.lower())
        if "svg" in kind.lower():
            drawings.append(raw)
        elif raw:
            (made := folder / f"inline-{number}").write_bytes(raw)
            yield made
    for number, drawing in enumerate(drawings):
        source, made = folder / f"{number}.svg", folder / f"{number}.png"
        source.write_bytes(drawing)
        said_by("rsvg-convert", "-h", "800", "--keep-aspect-ratio", "-b", "white", "-o", made, source, allowed=(0, 1))
        if made.exists():
            yield made
        else:
            unread.append(f"drawing {number + 1} of the page")


def _unpacked(content: str, *, packed: bool) -> bytes:
    try:
        return base64.b64decode(urllib.parse.unquote(content)) if packed else urllib.parse.unquote_to_bytes(content)
    except ValueError:
        return b""
